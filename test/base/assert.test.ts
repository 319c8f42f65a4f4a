import { expect, test } from "vitest";
import { assert, unreachable } from "../../src/base/assert.ts";

test("an assertion that holds is silent; one that fails is our bug and says what had to hold", () => {
  expect(() => assert(1, "one is something")).not.toThrow();
  for (const falsy of [0, "", null, undefined, false]) {
    expect(() => assert(falsy, "it is there")).toThrow(
      expect.objectContaining({ code: "INTERNAL", message: "assertion failed: it is there" }),
    );
  }
});

test("reaching the unreachable names the value", () => {
  expect(() => unreachable({ do: "dance" } as never)).toThrow('unreachable: {"do":"dance"}');
});
