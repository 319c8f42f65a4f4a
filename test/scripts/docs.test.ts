import { describe, expect, test } from "vitest";
import { z } from "zod";
import { shapesOf } from "../../scripts/docs/shapes.ts";
import { assertionsIn, commentsIn, parseSource } from "../../scripts/docs/source.ts";

describe("what a source says", () => {
  test("doc comments are found by path, and belong to what follows them at once", () => {
    const source = parseSource(
      "a.ts",
      `/** The file. */
      import { z } from "zod";
      /** The outer one,
       *  on two lines. */
      export const OUTER = { /** First. */ first: 1, second: 2, "a.b": make({ /** Deep. */ deep: 3 }) };
      // Not a doc comment.
      const plain = { /* nor this */ field: "/** nor this */" };`,
    );
    expect(Object.fromEntries(commentsIn(source))).toEqual({
      OUTER: "The outer one, on two lines.",
      "OUTER.first": "First.",
      "OUTER.a.b.deep": "Deep.",
    });
  });

  test("assertions are found with their condition as written", () => {
    const source = parseSource("a.ts", `assert(A.x < A.y, "x is less"); // assert(no, "comment")`);
    expect(assertionsIn(source)).toEqual([{ condition: "A.x < A.y", says: "x is less" }]);
  });

  test("an assertion that says nothing is refused", () => {
    expect(() => assertionsIn(parseSource("a.ts", "assert(A.x < A.y);"))).toThrow("A.x < A.y");
  });
});

describe("schemas in words", () => {
  const point = z.strictObject({ x: z.int().min(0).max(9), label: z.string().max(5).optional() });
  const describeShape = shapesOf({ point });

  test("an object has fields, and a named schema is mentioned by its name", () => {
    const line = z.strictObject({ from: point, to: point.optional(), tags: z.array(z.enum(["a", "b"])).nullable() });
    expect(describeShape(line).alternatives).toEqual([
      [
        { name: "from", type: "point", optional: false },
        { name: "to", type: "point", optional: true },
        { name: "tags", type: '("a" | "b")[] | null', optional: false },
      ],
    ]);
    expect(describeShape(point).alternatives[0]?.[0]).toEqual({
      name: "x",
      type: "integer (up to 9)",
      optional: false,
    });
  });

  test("a choice of objects has the fields of each", () => {
    const choice = z.discriminatedUnion("type", [
      z.strictObject({ type: z.literal("a") }),
      z.strictObject({ type: z.literal("b"), size: z.number() }),
    ]);
    expect(describeShape(choice).alternatives.map((fields) => fields.length)).toEqual([1, 2]);
    expect(describeShape(z.union([z.string(), point]))).toEqual({ alternatives: [], type: "string | point" });
  });

  test("a schema there are no words for is refused", () => {
    expect(() => describeShape(z.strictObject({ odd: z.unknown() }))).toThrow("no words");
  });
});
