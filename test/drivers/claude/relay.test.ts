import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { seededRandom } from "../../../src/base/random.ts";
import { relayModel } from "../../../src/drivers/claude/relay.ts";
import { callModel } from "../../../src/drivers/model/call.ts";
import { limitsIn } from "../../../src/drivers/model/rate-headers.ts";
import { scriptedMind } from "../../../src/simulator/scripted.ts";
import { startSimulator } from "../../../src/simulator/simulator.ts";

test("what the provider says of its rates and of the request comes back with an answer", async () => {
  const clock = systemClock();
  const limits = { requestsPerMinute: 50, inputTokensPerMinute: 30_000, outputTokensPerMinute: 8_000 };
  await using simulator = await startSimulator({
    mind: scriptedMind(() => "Done."),
    clock,
    random: seededRandom(1),
    limits,
  });
  const body = JSON.stringify({
    model: "claude-sonnet-4-5",
    max_tokens: 9,
    stream: true,
    messages: [{ role: "user", content: "Go." }],
  });
  const upstream = { url: simulator.url, headers: { "x-api-key": "k" } };
  const model = relayModel("claude-sonnet-4-5", upstream, () => ({
    body,
    headers: { "anthropic-version": "2023-06-01" },
    sessionId: "s",
  }));
  const told: unknown[] = [];
  const onHeaders = (headers: Parameters<typeof limitsIn>[0]) => void told.push(limitsIn(headers));
  const request = { prompt: [], maxOutputTokens: 9 };
  const call = await callModel(model, request, { signal: new AbortController().signal, clock, onHeaders });
  const meta = { session: "s", request: expect.stringMatching(/^req_/) };
  expect(call).toMatchObject({ end: "finished", finish: { providerMetadata: { banyan: { meta } } } });
  expect(told).toEqual([expect.objectContaining({ requests: { limit: 50, remaining: 49 } })]);
});
