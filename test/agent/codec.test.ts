import { describe, expect, test } from "vitest";
import { checkEvent, decodeEvent, encodeEvent, eventJson } from "../../src/agent/codec.ts";
import { EVENTS, NAME_SYNTAX, name } from "../../src/agent/events.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { idOf, PERSON } from "../support/commands.ts";

describe("the codec", () => {
  test("stores the type beside the body, and the body without it", () => {
    const stored = encodeEvent({ type: "hold.released", by: PERSON });
    expect(stored).toEqual({ type: "hold.released", body: '{"by":{"kind":"person","id":"ada"}}' });
    expect(decodeEvent(stored.type, stored.body)).toEqual({ type: "hold.released", by: PERSON });
  });

  test.each([
    ["E1: a type that is not known", "hold.paused", "{}"],
    ["E1: a version that is not known", "hold.released/2", "{}"],
    ["a type that is a property of every object", "toString", "{}"],
    ["a text that is no JSON", "hold.released", "{"],
    ["a list", "hold.released", "[]"],
    ["a text", "hold.released", '"x"'],
    ["nothing", "hold.released", "null"],
  ])("refuses %s", (_, type, body) => {
    expect(() => decodeEvent(type, body)).toThrow(expect.objectContaining({ code: "EVENT_INVALID" }));
    expect(checkEvent(type, body)).toMatch(/./);
  });

  test("takes the type from beside the body, whatever the body says", () => {
    expect(decodeEvent("hold.released", '{"type":"agent.created"}').type).toBe("hold.released");
  });

  test.each([
    ["hold.released", '{"by":{"kind":"person","id":"ada"}}'],
    ["hold.released", "{}"],
    ["hold.released", ' {\n"by": 1 } '],
  ])("gives a %s as JSON on one line, as it would be decoded: %j", (type, body) => {
    const json = eventJson(type, body);
    expect(JSON.parse(json)).toEqual(decodeEvent(type, body));
    expect(json).not.toContain("\n");
  });

  test("E1: gives nothing of what is not known as JSON", () => {
    for (const [type, body] of [
      ["toString", '{"by":1}'],
      ["hold.released", '["x"]'],
    ] as const) {
      expect(() => eventJson(type, body)).toThrow(expect.objectContaining({ code: "EVENT_INVALID" }));
    }
  });

  test("checks every field, and names the one that is wrong", () => {
    expect(checkEvent("turn.lost", '{"turn":1,"costUsd":0.5}')).toBeUndefined();
    expect(checkEvent("turn.lost", '{"turn":0,"costUsd":0.5}')).toMatch(/^turn: /);
    expect(checkEvent("turn.lost", '{"turn":1,"costUsd":-1}')).toMatch(/^costUsd: /);
    expect(checkEvent("turn.lost", '{"turn":1,"costUsd":1,"more":1}')).toMatch(/more/);
    expect(checkEvent("child.revived", '{"child":"me"}')).toBe("child: not an id");
  });
});

describe("the table of events", () => {
  test.each(Object.entries(EVENTS))("%s says what it means, and takes no field it does not name", (type, schema) => {
    expect(type).toMatch(/^[a-z]+\.[a-z]+$/);
    expect(schema.description).toMatch(/^[A-Z].{8,}[.]$/);
    expect(schema.shape.type.value).toBe(type);
    expect(schema.safeParse({ type, surprise: 1 }).error?.issues.some(({ code }) => code === "unrecognized_keys")).toBe(
      true,
    );
  });

  test.each(["lead", "a", "a.b-c_d", "0", "x".repeat(LIMITS.nameLengthMax)])("%j is a name", (given) => {
    expect(name.safeParse(given).success && NAME_SYNTAX.test(given)).toBe(true);
  });

  test.each([
    "",
    ".",
    "..",
    ".hidden",
    "-x",
    "_x",
    "a/b",
    "a\\b",
    "a b",
    "a\n",
    "ä",
    "x".repeat(LIMITS.nameLengthMax + 1),
    `${idOf(1)}\0`,
  ])("%j is no name", (given) => {
    expect(name.safeParse(given).success).toBe(false);
  });
});
