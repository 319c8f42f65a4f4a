import { expect, test } from "vitest";
import { ManualClock } from "../../src/base/clock.ts";
import { createProvider } from "../../src/simulator/provider.ts";
import type { RateLimits } from "../../src/simulator/rate-limits.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { ask } from "./in-process.ts";

const hello = [{ role: "user" as const, content: "x".repeat(400) }];

function setUp(limits: RateLimits) {
  const clock = new ManualClock(Date.UTC(2030, 0, 1));
  const provider = createProvider({ mind: scriptedMind(() => "y".repeat(200)), clock, limits });
  return { clock, provider };
}

test("requests: told in headers, refused with retry-after, filled steadily, and counted by key", async () => {
  const { clock, provider } = setUp({ requestsPerMinute: 2 });
  const first = await ask(provider, hello);
  expect(first.headers).toMatchObject({
    "anthropic-ratelimit-requests-limit": "2",
    "anthropic-ratelimit-requests-remaining": "1",
    "anthropic-ratelimit-requests-reset": "2030-01-01T00:00:30Z",
  });
  await ask(provider, hello);
  const refused = await ask(provider, hello);
  expect(refused).toMatchObject({ status: 429, json: { error: { type: "rate_limit_error" } } });
  expect(refused.headers).toMatchObject({ "retry-after": "30", "anthropic-ratelimit-requests-remaining": "0" });
  expect((await ask(provider, hello, { key: "other" })).status).toBe(200);
  clock.advance(29_999);
  expect((await ask(provider, hello)).status).toBe(429);
  clock.advance(1);
  expect((await ask(provider, hello)).status).toBe(200);
});

test("input tokens: those read from the cache are free", async () => {
  const { clock, provider } = setUp({ inputTokensPerMinute: 2_100 });
  const cached = [
    {
      role: "user" as const,
      content: [{ type: "text", text: "x".repeat(8_000), cache_control: { type: "ephemeral" } }],
    },
  ];
  expect((await ask(provider, cached)).headers["anthropic-ratelimit-input-tokens-remaining"]).toBe("100");
  expect((await ask(provider, cached)).headers["anthropic-ratelimit-input-tokens-remaining"]).toBe("100");
  expect((await ask(provider, [{ role: "user", content: "z".repeat(800) }])).headers["retry-after"]).toBe("3");
  clock.advance(3_000);
  expect((await ask(provider, [{ role: "user", content: "z".repeat(800) }])).status).toBe(200);
});

test("output tokens: what was made too much holds up the next request", async () => {
  const { clock, provider } = setUp({ outputTokensPerMinute: 30 });
  expect((await ask(provider, hello)).headers["anthropic-ratelimit-output-tokens-remaining"]).toBe("0");
  expect((await ask(provider, hello)).headers["retry-after"]).toBe("42");
  clock.advance(42_000);
  expect((await ask(provider, hello)).status).toBe(200);
});

test("without limits there are no headers", async () => {
  const { provider } = setUp({});
  expect(Object.keys((await ask(provider, hello)).headers).filter((name) => name.includes("ratelimit"))).toEqual([]);
});
