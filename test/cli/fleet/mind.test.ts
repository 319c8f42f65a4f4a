/** What each agent of a simulated fleet says. */
import { expect, test } from "vitest";
import { type Answer, answer } from "../../../src/cli/fleet/mind.ts";
import { childrenOf, nameOf, type Unit, unitOf } from "../../../src/cli/fleet/plan.ts";

const CHARACTER = { turns: 10, failing: 0.5, asking: 0.1 };
const heard = (unit: Unit, turns: number, ended: string[] = []) => ({ unit, turns, ended, spokenTo: false });

test("a lead spawns its unit, waits, and replaces what has ended by another of the same size", () => {
  const unit = { agents: 30, levels: 4, seed: 5 };
  const children = childrenOf(unit);
  const first = answer(heard(unit, 0), CHARACTER);
  expect(first?.calls.length).toBe(children.length);
  expect(answer(heard(unit, 1), CHARACTER)?.calls).toEqual([]);
  const name = nameOf(children[1] as Unit, 1);
  const { calls } = answer(heard(unit, 2, [`${name}-7`]), CHARACTER) as Answer;
  const [{ task = "" }] = calls.map(({ input }) => input as { task?: string }) as [{ task?: string }];
  expect(unitOf(task)).toMatchObject({ agents: children[1]?.agents, levels: children[1]?.levels });
});

test("workers use a tool until they are done; some fail in the end, some ask for what a person must allow", () => {
  const ends = { done: 0, failed: 0, asked: 0 };
  for (let seed = 0; seed < 200; seed += 1) {
    for (let turns = 0; ; turns += 1) {
      expect(turns).toBeLessThanOrEqual(2 * CHARACTER.turns);
      const said = answer(heard({ agents: 1, levels: 1, seed }, turns), CHARACTER);
      if (said?.calls[0]?.name === "publish") ends.asked += 1;
      if (said && said.calls.length > 0) continue;
      ends[said ? "done" : "failed"] += 1;
      break;
    }
  }
  for (const count of Object.values(ends)) expect(count).toBeGreaterThan(20);
});
