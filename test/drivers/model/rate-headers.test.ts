/** What headers tell of a provider's rates. */
import { expect, test } from "vitest";
import { limitsIn } from "../../../src/drivers/model/rate-headers.ts";

test("Anthropic's and OpenAI's headers are read; what is no count is passed over", () => {
  expect(limitsIn(undefined)).toBeUndefined();
  expect(limitsIn({ "content-type": "text/event-stream" })).toBeUndefined();
  expect(
    limitsIn({
      "anthropic-ratelimit-requests-limit": "50",
      "anthropic-ratelimit-requests-remaining": "49",
      "anthropic-ratelimit-input-tokens-limit": "30000",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-output-tokens-limit": "many",
      "anthropic-ratelimit-output-tokens-remaining": "8000",
    }),
  ).toEqual({ requests: { limit: 50, remaining: 49 }, inputTokens: { limit: 30_000, remaining: 0 } });
  expect(
    limitsIn({
      "x-ratelimit-limit-tokens": "200000",
      "x-ratelimit-remaining-tokens": "199000",
      "x-ratelimit-limit-requests": "0",
    }),
  ).toEqual({ tokens: { limit: 200_000, remaining: 199_000 } });
});

test("OpenAI's limits of requests a day are told from those a minute by the time in which they come back", () => {
  const told = (limit: number, remaining: number, reset: string) =>
    limitsIn({
      "x-ratelimit-limit-requests": `${limit}`,
      "x-ratelimit-remaining-requests": `${remaining}`,
      "x-ratelimit-reset-requests": reset,
    })?.requests?.perMs;
  const day = 86_400_000;
  // One of 10,000 a day flows back in 8.64 s; Groq counts by the day as well.
  expect(told(10_000, 9_999, "8.64s")).toBe(day);
  expect(told(14_400, 14_370, "2m59.56s")).toBe(day);
  expect(told(200, 0, "24h0m0s")).toBe(day);
  expect(told(200, 150, "1d2h")).toBe(day);
  for (const reset of ["12ms", "6ms", "120ms"]) expect(told(5_000, 4_999, reset)).toBeUndefined();
  expect(told(60, 0, "60s")).toBeUndefined();
  // A window of a minute that ends at once for all: no rate of a day's.
  expect(told(500, 499, "58.2s")).toBeUndefined();
  // Nothing was used, or nothing is told.
  expect(told(500, 500, "8.64s")).toBeUndefined();
  expect(told(500, 499, "soon")).toBeUndefined();
});
