import { describe, expect, test } from "vitest";
import { completed, completionAt } from "../../src/fleet/completion.ts";
import { FIELD_HELP, FLAG_NAMES, NUMBER_FIELDS, parseFilter, WORD_FIELDS } from "../../src/fleet/filter.ts";
import { Fleet } from "../../src/fleet/fleet.ts";
import { GeneratedFleet } from "../support/generated-fleet.ts";

function small(): Fleet {
  const generated = new GeneratedFleet({ agents: 6, depth: 3, seed: 1 });
  generated.columns.name.splice(0, 6, "lead", "coder", "two words", 'quo"ted', "a,b", "coder");
  const fleet = new Fleet();
  for (const frame of generated.frames()) fleet.applyAgents(frame);
  return fleet;
}

const fleet = small();
const inserts = (text: string, caret = text.length) =>
  completionAt(text, caret, fleet).offers.map(({ insert }) => insert);

describe("the completion of a filter", () => {
  test.each([
    ["le", ["level>"]],
    ["status:failed wai", ["waiting:"]],
    ["-sta", ["-status:"]],
    ["is:f", ["is:fork"]],
    ["-is:li", ["-is:live"]],
    ["status:fail", ["status:failed"]],
    ["status:failed,canc", ["status:failed,cancelled"]],
    ["status:failed", []],
    ["name:cod", ["name:coder"]],
    ["name:two", ['name:"two words"']],
    ['name:"two', ['name:"two words"']],
    ["name:x,two", []],
    ["name:quo", []],
    ["level>", []],
    ["nonsense:", []],
    ["constructor:", []],
  ])("%j could be %j", (text, offers) => {
    expect(inserts(text)).toEqual(offers);
  });

  test("values come with how many agents have them, most first; a number has a hint", () => {
    expect(completionAt("name:", 5, fleet).offers[0]).toEqual({ insert: "name:coder", says: "2" });
    expect(completionAt("cost>", 5, fleet).hint).toBe("dollars, its own");
  });

  test("the term at the caret is replaced, and no other", () => {
    const completion = completionAt("status:fai level>2", 10, fleet);
    const [offer] = completion.offers;
    expect(offer && completed("status:fai level>2", completion, offer)).toEqual({
      text: "status:failed level>2",
      caret: 13,
    });
    const field = completionAt("coder le", 8, fleet);
    expect(field.offers[0] && completed("coder le", field, field.offers[0])).toEqual({
      text: "coder level>",
      caret: 12,
    });
  });

  test("C1: whatever is offered is understood, or lacks its value alone", () => {
    const begun = [
      "",
      "-",
      ...Object.keys(FIELD_HELP).flatMap((field) => [field, `${field}:`, `-${field}:`, `x ${field}:`]),
    ];
    for (const text of begun) {
      const completion = completionAt(text, text.length, fleet);
      for (const offer of completion.offers) {
        const { complaints } = parseFilter(completed(text, completion, offer).text);
        expect({
          text,
          offer,
          complaints: complaints.filter(({ says }) => !says.includes("lacks a value")),
        }).toMatchObject({
          complaints: [],
        });
      }
    }
  });

  test("every field is said in words", () => {
    expect(Object.keys(FIELD_HELP).toSorted()).toEqual(
      [...new Set([...WORD_FIELDS, ...NUMBER_FIELDS, "is"])].toSorted(),
    );
    expect(completionAt("is:", 3, fleet).offers.map(({ says }) => says === "")).toEqual(FLAG_NAMES.map(() => false));
  });
});
