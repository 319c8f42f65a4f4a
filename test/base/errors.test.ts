import { describe, expect, test } from "vitest";
import { asBanyanError, BanyanError, ERRORS, type ErrorCode } from "../../src/base/errors.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];

describe("the registry of errors", () => {
  test.each(codes)("%s is documented: status, exit code, meaning, remedy", (code) => {
    const { status, exit, retryable, means, remedy } = ERRORS[code];
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(status >= 400 && status < 600).toBe(true);
    expect([1, 2, 3, 4, 5, 6, 7, 70]).toContain(exit);
    expect(typeof retryable).toBe("boolean");
    for (const text of [means, remedy]) expect(text).toMatch(/^[A-Z].{8,}\.$/);
  });

  test("is sorted, so that two people add to it without a conflict", () => {
    expect(codes.toSorted()).toEqual(codes);
  });

  test("exit codes go with what they say: 2 and 3 are the caller's, 5 and 70 are ours", () => {
    for (const code of codes) {
      const { status, exit } = ERRORS[code];
      if (exit === 70) expect(status).toBe(500);
      if (status === 404 && exit !== 5) expect(exit).toBe(3);
    }
  });
});

describe("BanyanError", () => {
  test("carries code, agent and cause, and what the registry says of it", () => {
    const cause = new Error("why");
    const error = new BanyanError("DISK_FAILED", "no space", { agent: "a", cause });
    expect(error).toMatchObject({ name: "BanyanError", code: "DISK_FAILED", agent: "a", cause, retryable: true });
    expect(error.remedy).toBe(ERRORS.DISK_FAILED.remedy);
  });

  test("as JSON it is a problem body: no stack, no cause, no agent where there is none", () => {
    const error = new BanyanError("NOT_HELD", "no hold", { cause: new Error("inner") });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "NOT_HELD",
      message: "no hold",
      remedy: ERRORS.NOT_HELD.remedy,
    });
    expect(new BanyanError("NOT_HELD", "no hold", { agent: "a" }).toJSON()).toHaveProperty("agent", "a");
  });

  test("without a cause it has none, not one that is undefined", () => {
    expect(Object.hasOwn(new BanyanError("INTERNAL", "x"), "cause")).toBe(false);
  });
});

describe("asBanyanError", () => {
  test("gives back our own errors untouched", () => {
    const error = new BanyanError("NOT_HELD", "x");
    expect(asBanyanError(error, "DISK_FAILED")).toBe(error);
  });

  test.each([
    [new TypeError("boom"), "boom"],
    ["text", "text"],
    [undefined, "undefined"],
  ])("wraps %o and keeps it as the cause", (thrown, message) => {
    expect(asBanyanError(thrown)).toMatchObject({ code: "INTERNAL", message });
    expect(asBanyanError(thrown, "TOOL_FAILED").code).toBe("TOOL_FAILED");
    if (thrown !== undefined) expect(asBanyanError(thrown).cause).toBe(thrown);
  });
});
