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
