/** R1, F1, F2: what goes wrong is told apart by what may help. */
import { APICallError, JSONParseError, LoadAPIKeyError } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../src/base/clock.ts";
import { BanyanError } from "../../../src/base/errors.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { createRedactor } from "../../../src/base/redact.ts";
import { verdictOn } from "../../../src/drivers/model/failures.ts";
import { type Reply, scriptedModel, usageOf } from "../../support/models.ts";
import { Conversation } from "./conversation.ts";

const clock = new ManualClock(Date.UTC(2026, 0, 1));
const KEY = `sk-ant-api03-${"k".repeat(40)}`;
const on = (error: unknown) => verdictOn(error, { redact: createRedactor(), clock });

function refusal(statusCode: number | undefined, responseHeaders: Record<string, string> = {}, message = "no") {
  const requestBodyValues = { secret: KEY };
  const options = { message, url: "https://api.example.org", requestBodyValues, responseHeaders };
  return new APICallError({ ...options, ...(statusCode !== undefined && { statusCode }) });
}

const unreached = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

describe("verdicts", () => {
  test.each([
    [400, "fatal", "MODEL_FAILED", undefined],
    [401, "fatal", "MODEL_FAILED", undefined],
    [403, "fatal", "MODEL_FAILED", undefined],
    [404, "fatal", "MODEL_FAILED", undefined],
    [413, "fatal", "MODEL_FAILED", undefined],
    [408, "retryable", "MODEL_OVERLOADED", false],
    [409, "retryable", "MODEL_OVERLOADED", false],
    [429, "retryable", "MODEL_RATE_LIMITED", true],
    [500, "retryable", "MODEL_OVERLOADED", false],
    [502, "retryable", "MODEL_OVERLOADED", true],
    [504, "retryable", "MODEL_OVERLOADED", true],
    [522, "retryable", "MODEL_OVERLOADED", true],
    [503, "retryable", "MODEL_OVERLOADED", true],
    [529, "retryable", "MODEL_OVERLOADED", true],
    [200, "retryable", "MODEL_GARBLED", false],
  ] as const)("status %s is %s: %s", (status, outcome, code, putOff) => {
    const verdict = on(refusal(status));
    expect(verdict).toMatchObject({ outcome, error: { code, message: `${status}: no` } });
    expect("putOff" in verdict ? verdict.putOff : undefined).toBe(putOff);
  });

  test.each([
    ["no connection", refusal(undefined), "retryable", "MODEL_OVERLOADED"],
    ["a cause with a code", new TypeError("terminated", { cause: unreached }), "retryable", "MODEL_OVERLOADED"],
    ["overload inside the stream", { type: "overloaded_error", message: "no" }, "retryable", "MODEL_OVERLOADED"],
    ["a limit inside the stream", { type: "rate_limit_error", message: "no" }, "retryable", "MODEL_RATE_LIMITED"],
    [
      "a chunk that is no JSON",
      new JSONParseError({ text: "<", cause: new Error("no") }),
      "retryable",
      "MODEL_GARBLED",
    ],
    ["F2: whatever else", "odd", "retryable", "MODEL_GARBLED"],
    ["F2: nothing", undefined, "retryable", "MODEL_GARBLED"],
    ["no key", new LoadAPIKeyError({ message: "no" }), "fatal", "MODEL_FAILED"],
    ["our own disk", new BanyanError("DISK_FAILED", "no"), "retryable", "DISK_FAILED"],
    ["our own damage", new BanyanError("BLOB_DAMAGED", "no"), "fatal", "BLOB_DAMAGED"],
  ] as const)("%s", (_, error, outcome, code) => {
    expect(on(error)).toMatchObject({ outcome, error: { code } });
  });

  test.each([
    ["no connection", "ECONNREFUSED"],
    ["no name server", "EAI_AGAIN"],
    ["a connection that is reset", "ECONNRESET"],
    ["a connection that is closed", "UND_ERR_SOCKET"],
  ])("%s before the answer begins is waited out; after that it is an attempt", (_, code) => {
    const error = new TypeError("fetch failed", { cause: Object.assign(new Error("no"), { code }) });
    expect(on(error)).toMatchObject({ outcome: "retryable", putOff: true, error: { code: "MODEL_OVERLOADED" } });
    expect(verdictOn(error, { redact: createRedactor(), clock, wasHeard: true })).toMatchObject({ putOff: false });
  });

  test("a host that the name servers do not know is an attempt, and said to be one", () => {
    const cause = Object.assign(new Error("getaddrinfo ENOTFOUND api.example.invalid"), { code: "ENOTFOUND" });
    expect(on(new TypeError("fetch failed", { cause }))).toMatchObject({
      outcome: "retryable",
      putOff: false,
      error: {
        code: "MODEL_OVERLOADED",
        message: expect.stringContaining("there is no such host; check the provider's address"),
      },
    });
  });

  test("F2: a code that is none of the network's is an attempt", () => {
    const error = Object.assign(new TypeError("no"), { code: "ERR_INVALID_ARG_TYPE" });
    expect(on(error)).toMatchObject({ outcome: "retryable", putOff: false });
  });

  test("F1: messages are cut and have no secrets, nor the request", () => {
    const verdict = on(refusal(401, {}, `bad key ${KEY} ${"x".repeat(5_000)}`));
    expect(verdict.error.message).toMatch(/^401: bad key \[redacted:anthropic\] x+$/);
    expect(verdict.error.message.length).toBeLessThan(1_100);
    expect(JSON.stringify(verdict)).not.toContain("kkkk");
  });

  test("F2: a cause that goes in circles", () => {
    const error = new Error("odd");
    error.cause = error;
    expect(on(error)).toMatchObject({ outcome: "retryable" });
  });
});

describe("how long to wait", () => {
  const rate = "anthropic-ratelimit";
  test.each([
    ["nothing said", {}, undefined],
    ["seconds", { "retry-after": "7" }, 7_000],
    ["milliseconds, which are more exact", { "retry-after": "7", "retry-after-ms": "6500.2" }, 6_501],
    ["a date", { "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }, 30_000],
    ["a date gone by", { "retry-after": "Wed, 31 Dec 2025 23:00:00 GMT" }, 0],
    ["no sense", { "retry-after": "soon" }, undefined],
    ["far too long", { "retry-after": "99999999" }, LIMITS.putOffMsMax],
    [
      "the last of the rates that are used up",
      {
        [`${rate}-requests-remaining`]: "0",
        [`${rate}-requests-reset`]: "2026-01-01T00:00:05Z",
        [`${rate}-input-tokens-remaining`]: "0",
        [`${rate}-input-tokens-reset`]: "2026-01-01T00:00:09Z",
        [`${rate}-output-tokens-remaining`]: "12",
        [`${rate}-output-tokens-reset`]: "2026-01-01T00:00:55Z",
      },
      9_000,
    ],
  ] as const)("%s", (_, headers, afterMs) => {
    const verdict = on(refusal(429, headers as Record<string, string>));
    expect("afterMs" in verdict ? verdict.afterMs : undefined).toBe(afterMs);
  });
});

describe("R1: a turn", () => {
  async function turnOf(reply: Reply | (() => never)) {
    const model = scriptedModel(typeof reply === "function" ? reply : [reply]);
    const agent = await Conversation.begin();
    await agent.hear("go");
    agent.start();
    const session = await agent.open(model);
    const outcome = await session.turn(agent.state, { signal: new AbortController().signal });
    expect(agent.clock.pending).toBe(0);
    return outcome;
  }
  const nothing = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const text = { type: "text-delta", id: "1", delta: "A" } as const;

  test.each([
    ["refused", refusal(400)],
    ["put off", refusal(429)],
    ["never reached", new TypeError("fetch failed", { cause: unreached })],
    ["without a key", new LoadAPIKeyError({ message: "no" })],
  ])("that was %s", async (_, error) => {
    const outcome = await turnOf(error);
    expect(outcome.usage).toEqual(nothing);
    expect(outcome).not.toHaveProperty("estimated");
  });

  test.each([
    ["was lost before the answer began", Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })],
    ["a gateway lost", refusal(504)],
  ])("that %s costs at most its bound", async (_, error) => {
    expect(await turnOf(error)).toMatchObject({ putOff: true, estimated: true, usage: { output: 1_000 } });
  });

  test("whose request may have arrived costs at most its bound", async () => {
    const outcome = await turnOf(Object.assign(new TypeError("fetch failed"), { cause: new Error("socket hang up") }));
    expect(outcome).toMatchObject({ outcome: "retryable", estimated: true, usage: { output: 1_000 } });
  });

  test("whose stream begins with an overload costs nothing; one that breaks off later costs at most its bound", async () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } } as const;
    expect(await turnOf([error])).toMatchObject({ outcome: "retryable", putOff: true, usage: nothing });
    const later = await turnOf([text, error]);
    expect(later).toMatchObject({ outcome: "retryable", putOff: true, estimated: true, usage: { output: 513 } });
  });

  test("whose stream just ends is tried again, with what it may have cost", async () => {
    const message = "the stream ended before the answer did";
    expect(await turnOf([text])).toMatchObject({
      outcome: "retryable",
      error: { code: "MODEL_GARBLED", message },
      estimated: true,
    });
  });

  test.each(["interrupted", "error"] as const)(
    "that the provider finishes as %s is tried again, with its figures",
    async (unified) => {
      const finishReason = { unified, raw: undefined };
      expect(await turnOf([text, { type: "finish", finishReason, usage: usageOf(7, 3) }])).toMatchObject({
        outcome: "retryable",
        error: { code: "MODEL_GARBLED", message: `the provider broke the answer off (${unified})` },
        usage: { input: 7, output: 3 },
      });
    },
  );

  test.each([
    ["cut off", '{"path": "src'],
    ["no object", '"src"'],
    ["a list", "[]"],
    ["null", "null"],
  ])("whose call has an input that is %s is tried again", async (_, input) => {
    const outcome = await turnOf({ calls: [{ id: "x", name: "look", input }] });
    const message = "the input of a call of look is no JSON object";
    expect(outcome).toMatchObject({
      outcome: "retryable",
      error: { code: "MODEL_GARBLED", message },
      usage: { input: 10 },
    });
  });

  test("whose call was cut by the limit of tokens says so", async () => {
    const finish = { unified: "length", raw: "max_tokens" } as const;
    const outcome = await turnOf({ calls: [{ id: "x", name: "look", input: '{"a' }], finish });
    expect(outcome).toMatchObject({ error: { message: expect.stringContaining("reached its limit of 1000 tokens") } });
  });

  test("whose call names no tool is tried again", async () => {
    expect(await turnOf({ calls: [{ id: "x", name: "", input: {} }] })).toMatchObject({
      error: { code: "MODEL_GARBLED" },
    });
  });

  test("whose model throws on the spot", async () => {
    const outcome = await turnOf(() => {
      throw new RangeError("odd");
    });
    expect(outcome).toMatchObject({ outcome: "retryable", error: { message: "odd" } });
  });
});
