/** A range of seeds, run one after the other: what each file of seeds shares, so that vitest runs the files side by side. */
import { expect } from "vitest";
import { FAULTS, VERBS } from "../../sim/scenario.ts";
import { simulate } from "../../sim/simulation.ts";

/** Runs `count` seeds from `first` on, and checks that none is broken and that everything that may happen did. */
export async function checkSeeds(first: number, count: number): Promise<void> {
  const totals = new Map<string, number>();
  const broken: string[] = [];
  for (let seed = first; seed < first + count; seed++) {
    const { violation, counts } = await simulate({ seed });
    for (const [what, times] of counts) totals.set(what, (totals.get(what) ?? 0) + times);
    if (violation) {
      broken.push(
        `${violation.checker}: ${violation.message.slice(0, 500)}\n  node sim/main.ts --seed ${seed} --trace`,
      );
    }
  }
  expect(broken).toEqual([]);
  const wanted = [
    ...Object.keys(FAULTS).map((fault) => `fault ${fault}`),
    ...["fault appendKept", "fault appendLost", "done zombie", "done stop", "done damage named", "done program"],
    ...Object.keys(VERBS).flatMap((verb) => [`verb ${verb}`, `done ${verb}`]),
  ];
  expect(wanted.filter((what) => !totals.has(what))).toEqual([]);
}
