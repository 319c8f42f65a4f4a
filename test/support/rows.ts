/** Trees of rows, for what shows them. */
import fc from "fast-check";
import { hasEnded, STATUSES, type Status } from "../../src/agent/status.ts";
import { NO_USAGE } from "../../src/agent/usage.ts";
import type { TreeRow } from "../../src/server/contract/tree.ts";

/** A tree as a person writes it down: name, status, children. */
export interface Sketch {
  readonly name: string;
  readonly status?: Status;
  readonly children?: readonly Sketch[];
}

/** Rows of sketched trees, with sums as the forest would have them: each agent had one turn that cost a dollar. */
export function rowsOf(...sketches: readonly Sketch[]): TreeRow[] {
  const rows: TreeRow[] = [];
  const add = (
    { name, status = "running", children = [] }: Sketch,
    parentId: string | null,
    level: number,
  ): TreeRow => {
    const place = rows.length;
    const id = `0${String(place).padStart(25, "0")}`;
    rows.push(undefined as never);
    const below = children.map((child) => add(child, id, level + 1));
    const sum = (of: (row: TreeRow) => number) => below.reduce((total, row) => total + of(row), 0);
    const usage = { ...NO_USAGE, input: 10 };
    const subtree = {
      agents: 1 + sum((row) => row.subtree.agents),
      live: (hasEnded(status) ? 0 : 1) + sum((row) => row.subtree.live),
      turns: 1 + sum((row) => row.subtree.turns),
      usage: { ...NO_USAGE, input: 10 + sum((row) => row.subtree.usage.input) },
      costUsd: 1 + sum((row) => row.subtree.costUsd),
      estimatedUsd: 0,
      reservedUsd: 0,
    };
    const row: TreeRow = {
      id,
      parentId,
      level,
      name,
      status,
      waitingFor: status === "waiting" ? "children" : null,
      holds: false,
      model: "test-1",
      turns: 1,
      usage,
      costUsd: 1,
      estimatedUsd: 0,
      subtree,
      activity: "calling the model",
      error: null,
      artifacts: 0,
      seq: 1,
      createdTime: 0,
      time: 0,
    };
    rows[place] = row;
    return row;
  };
  for (const sketch of sketches) add(sketch, null, 0);
  return rows;
}

/** Forests of any shape: each agent is below one that was made before it, or the root of a tree. */
export const sketches: fc.Arbitrary<Sketch[]> = fc
  .array(
    fc.record({ name: fc.stringMatching(/^[a-z]{1,12}$/), status: fc.constantFrom(...STATUSES), below: fc.nat() }),
    { maxLength: 120 },
  )
  .map((agents) => {
    const made: (Sketch & { children: Sketch[] })[] = [];
    const roots: Sketch[] = [];
    for (const { name, status, below } of agents) {
      const agent = { name, status, children: [] };
      const parent = made[below % (made.length + 1)];
      (parent?.children ?? roots).push(agent);
      made.push(agent);
    }
    return roots;
  });
