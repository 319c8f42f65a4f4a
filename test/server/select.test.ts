import { describe, expect, test } from "vitest";
import { Forest } from "../../src/agent/forest.ts";
import type { Head } from "../../src/agent/state.ts";
import { pathOf, selectAgent } from "../../src/server/select.ts";
import { idOf } from "../support/commands.ts";
import { headOf } from "../support/forests.ts";

/** Two trees that share a name, and one that does not: /lead (1) with /lead/worker (2), /lead (3), /other (4). */
function forestOf(): Forest {
  const forest = new Forest();
  const lead = headOf(1, undefined, { name: "lead" });
  const heads: Head[] = [
    lead,
    headOf(2, lead, { name: "worker" }),
    headOf(3, undefined, { name: "lead" }),
    headOf(4, undefined, { name: "other" }),
  ];
  for (const head of heads) forest.put(head);
  return forest;
}
const forest = forestOf();

describe("an agent is meant by", () => {
  test.each([
    ["its id", idOf(2), 2],
    ["its id, with space around it", ` ${idOf(2)}\n`, 2],
    ["the name of a root", "other", 4],
    ["its path of names", "/lead/worker", 2],
    ["a path of the root alone", "/other", 4],
    ["the beginning of its id, where no other begins so", idOf(2).slice(0, 26), 2],
  ])("%s", (_, text, number) => {
    expect(selectAgent(forest, text)).toBe(idOf(number));
  });

  test("the beginning of an id, in either case", () => {
    const one = new Forest();
    one.put({ ...headOf(1), agent: "01m82vqqvaxfv35byytwacgefz" });
    expect(selectAgent(one, "01m82v")).toBe("01m82vqqvaxfv35byytwacgefz");
    expect(selectAgent(one, "01M82VQ")).toBe("01m82vqqvaxfv35byytwacgefz");
  });
});

describe("S1: refused is", () => {
  test.each([
    ["the name of two roots", "lead", "AGENT_AMBIGUOUS"],
    ["a beginning that several ids have", "000000", "AGENT_AMBIGUOUS"],
    ["a path of two trees", "/lead", "AGENT_AMBIGUOUS"],
    ["a beginning that is too short", "00000", "AGENT_NOT_FOUND"],
    ["an id that nobody has", idOf(9), "AGENT_NOT_FOUND"],
    ["a path that leads nowhere", "/lead/nobody", "AGENT_NOT_FOUND"],
    ["nothing", "", "AGENT_NOT_FOUND"],
    ["a slash", "/", "AGENT_NOT_FOUND"],
    ["a name with escapes", "\u001b[2J", "AGENT_NOT_FOUND"],
    ["a name of the prototype", "__proto__", "AGENT_NOT_FOUND"],
  ])("%s", (_, text, code) => {
    expect(() => selectAgent(forest, text)).toThrow(expect.objectContaining({ code }));
  });

  test("and the error names those that may be meant", () => {
    expect(() => selectAgent(forest, "lead")).toThrow(`"lead" may mean ${idOf(1)} (/lead), ${idOf(3)} (/lead)`);
  });

  test("and tells how an agent below a root is named", () => {
    expect(() => selectAgent(forest, "worker")).toThrow("there is /lead/worker, which is named by this path");
  });

  test("and a text of any length is shown cut", () => {
    expect(() => selectAgent(forest, "x".repeat(5_000))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,120}$/) }),
    );
  });
});

test("a path selects the agent that it is of", () => {
  for (const number of [2, 4]) expect(selectAgent(forest, pathOf(forest, idOf(number)))).toBe(idOf(number));
});
