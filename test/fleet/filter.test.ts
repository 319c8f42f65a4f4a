import { describe, expect, test } from "vitest";
import { parseFilter } from "../../src/fleet/filter.ts";
import { Fleet } from "../../src/fleet/fleet.ts";
import { GeneratedFleet, STATUSES } from "../support/generated-fleet.ts";

function small() {
  const generated = new GeneratedFleet({ agents: 6, depth: 3, seed: 1 });
  const { columns } = generated;
  columns.name.splice(0, 6, "lead", "coder", "reviewer", "coder-2", "Ünï", "a b");
  columns.status.splice(
    0,
    6,
    ...["waiting", "running", "failed", "running", "queued", "held"].map((word) => STATUSES.indexOf(word)),
  );
  columns.waiting.splice(0, 6, "children", "", "", "", "", "");
  columns.level.splice(0, 6, 0, 1, 2, 2, 2, 2);
  columns.costUsd.splice(0, 6, 0.5, 3, 2.5, 0, 1, 1);
  columns.turns.splice(0, 6, 1, 2, 3, 4, 5, 6);
  columns.forkOf.splice(0, 6, -1, -1, -1, 1, -1, -1);
  columns.problem.splice(0, 6, "", "", "the disk is full", "", "", "");
  columns.endedMs.splice(0, 6, 0, 0, generated.timeMs, 0, 0, 0);
  const fleet = new Fleet();
  for (const frame of generated.frames()) fleet.applyAgents(frame);
  return fleet;
}

function found(text: string): number[] {
  const fleet = small();
  const { matches } = parseFilter(text);
  const holds = matches?.(fleet) ?? (() => true);
  return Array.from({ length: fleet.count }, (_, agent) => agent).filter(holds);
}

describe("filter", () => {
  test.each([
    ["", [0, 1, 2, 3, 4, 5]],
    ["status:failed", [2]],
    ["status:failed,running", [1, 2, 3]],
    ["-status:running", [0, 2, 4, 5]],
    ["level>1", [2, 3, 4, 5]],
    ["level>=1 cost>2", [1, 2]],
    ["cost>$2 name:review", [2]],
    ["level:2 turns<5", [2, 3]],
    ["name:coder", [1, 3]],
    ["name=coder", [1]],
    ["coder", [1, 3]],
    ["DISK", [2]],
    ['"a b"', [5]],
    ['name:"a b"', [5]],
    ["ünï", [4]],
    ["is:fork", [3]],
    ["is:live level:2", [3, 4, 5]],
    ["waiting:children", [0]],
    ["status:held -name:x", [5]],
  ])("%j finds %j", (text, agents) => {
    expect(found(text)).toEqual(agents);
    expect(parseFilter(text).complaints).toEqual([]);
  });

  test.each([
    ["nonsense:5", "no field nonsense"],
    ["level>many", "no number"],
    ["is:odd", "is: knows"],
    ["status>failed", "write status:failed"],
    ["cost>", "lacks a value"],
    ["constructor:x", "no field constructor"],
  ])("%j is complained of, and filters nothing", (text, complaint) => {
    const complaints = parseFilter(text).complaints;
    expect(complaints.map(({ says }) => says).join()).toContain(complaint);
    expect(complaints.map(({ from, to }) => text.slice(from, to))).toEqual([text]);
    expect(found(text)).toHaveLength(6);
  });
});
