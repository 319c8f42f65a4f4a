/** The table of operations: what it promises to whoever builds on it. */
import { describe, expect, test } from "vitest";
import { OPERATIONS, type OperationName } from "../../src/server/contract/operations.ts";
import { readSources } from "../tidy/source.ts";

const names = Object.keys(OPERATIONS) as OperationName[];

describe.each(names)("%s", (name) => {
  const { says, does, answers, input } = OPERATIONS[name];

  test("says what it does, and whether it changes something", () => {
    expect(says).toMatch(/^[A-Z].*\.$/);
    expect(["read", "command"]).toContain(does);
    // A command is answered once: it is durable then.
    if (does === "command") expect(answers).toBe("one");
  });

  test("Q3: refuses a field that it does not know", () => {
    const given = {
      agent: "lead",
      lines: 5,
      to: 1,
      text: "x",
      name: "x",
      callId: "x",
      decision: "rerun",
      budget: {},
      checkpoint: "here",
      from: 1,
      at: 1,
      task: "x",
      dir: "/",
      base64: "eA==",
    };
    const known = Object.fromEntries(Object.entries(given).filter(([field]) => field in input.shape));
    expect(input.safeParse(known).error).toBeUndefined();
    expect(input.safeParse({ ...known, surprise: 1 }).success).toBe(false);
  });
});

test("neither the contract nor the client over HTTP needs Node: nothing that it imports, near or far, does", () => {
  const sources = new Map(readSources().map((source) => [source.path, source]));
  const seen = new Set<string>();
  const outside: string[] = [];
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { target, specifier, how } of sources.get(path)?.links ?? []) {
      if (how === "type") continue;
      if (target) visit(target);
      else if (specifier !== "zod") outside.push(`${path}: ${specifier}`);
    }
  };
  for (const path of sources.keys()) if (path.startsWith("src/server/contract/")) visit(path);
  visit("src/server/http-door.ts");
  expect(seen).toContain("src/agent/events.ts");
  expect(outside).toEqual([]);
});
