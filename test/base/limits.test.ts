import { expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";

test.each(Object.entries(LIMITS))(
  "%s is a positive whole number, and says whether it is a bound, a default or a time",
  (name, value) => {
    expect(Number.isSafeInteger(value) && value > 0).toBe(true);
    expect(name).toMatch(/(Max|Min|Default|Ms)$/);
  },
);

test.each([
  ["a head is shorter than what stays inline", LIMITS.headBytesMax < LIMITS.inlineBytesMax],
  ["a turn of many calls with inline results fits one append", LIMITS.turnCallsMax * 2 + 1 <= LIMITS.appendEventsMax],
  ["the ids of a full inbox fit one record", LIMITS.inboxMessagesMax * 64 <= LIMITS.recordBytesMax],
  ["every child can report", LIMITS.inboxMessagesMax >= LIMITS.childrenTotalMax],
  ["a fork names all its children in one record", LIMITS.childrenTotalMax * 64 <= LIMITS.recordBytesMax],
  ["a child's report names all its artifacts in one record", LIMITS.artifactsMax * 512 <= LIMITS.recordBytesMax],
  ["an agent has no more children than its tree has agents", LIMITS.childrenTotalMax < LIMITS.treeAgentsMax],
  ["backoff has room to grow", LIMITS.retryMsMin * 2 <= LIMITS.retryMsMax],
  ["a stream that is silent is noticed before a tool would be", LIMITS.streamSilenceMsMax < LIMITS.toolMsMax],
  [
    "a call that fails for good is given up long before one that is put off",
    LIMITS.turnAttemptsMax < LIMITS.turnPutOffMax,
  ],
])("%s", (_, holds) => {
  expect(holds).toBe(true);
});
