/** What a subtree holds and spends: over its agents, and of many subtrees at once from columns. */

import type { HeadColumns } from "./head-columns.ts";
import { hasEnded, STATUSES, type Status } from "./status.ts";
import { NO_USAGE, type Usage } from "./usage.ts";

export interface Sums {
  readonly agents: number;
  /** Agents that have not ended. */
  readonly live: number;
  readonly turns: number;
  readonly usage: Usage;
  readonly costUsd: number;
  readonly estimatedUsd: number;
  readonly reservedUsd: number;
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };
export type MutableSums = Mutable<Omit<Sums, "usage">> & { readonly usage: Mutable<Usage> };

export function noSums(): MutableSums {
  const usage = { ...NO_USAGE };
  return { agents: 0, live: 0, turns: 0, usage, costUsd: 0, estimatedUsd: 0, reservedUsd: 0 };
}

export const NOTHING: Sums = noSums();

/** The sums as they are now. */
export function copyOf(sums: Sums): Sums {
  return { ...sums, usage: { ...sums.usage } };
}

export function sameSums(a: Sums, b: Sums): boolean {
  return (
    a.agents === b.agents &&
    a.live === b.live &&
    a.turns === b.turns &&
    a.usage === b.usage &&
    a.costUsd === b.costUsd &&
    a.estimatedUsd === b.estimatedUsd &&
    a.reservedUsd === b.reservedUsd
  );
}

/** Changed in place: it happens with every turn, at every ancestor. */
export function accumulate(sums: MutableSums, after: Sums, before: Sums): void {
  sums.agents += after.agents - before.agents;
  sums.live += after.live - before.live;
  sums.turns += after.turns - before.turns;
  sums.usage.input += after.usage.input - before.usage.input;
  sums.usage.output += after.usage.output - before.usage.output;
  sums.usage.cacheRead += after.usage.cacheRead - before.usage.cacheRead;
  sums.usage.cacheWrite += after.usage.cacheWrite - before.usage.cacheWrite;
  sums.costUsd = tidy(sums.costUsd + after.costUsd - before.costUsd);
  sums.estimatedUsd = tidy(sums.estimatedUsd + after.estimatedUsd - before.estimatedUsd);
  sums.reservedUsd = tidy(sums.reservedUsd + after.reservedUsd - before.reservedUsd);
}

/** What is carried to sums once, when nothing of it is in them yet. */
export function addSums(sums: MutableSums, more: Sums): void {
  sums.agents += more.agents;
  sums.live += more.live;
  sums.turns += more.turns;
  addTo(sums.usage, more.usage);
  sums.costUsd += more.costUsd;
  sums.estimatedUsd += more.estimatedUsd;
  sums.reservedUsd += more.reservedUsd;
}

export function addTo(usage: Mutable<Usage>, more: Usage): void {
  usage.input += more.input;
  usage.output += more.output;
  usage.cacheRead += more.cacheRead;
  usage.cacheWrite += more.cacheWrite;
}

/** The sums of every subtree of columns (F3), in columns. */
export class SumColumns {
  readonly #sums: Readonly<Record<SumColumn, Float64Array>>;

  constructor(columns: HeadColumns) {
    const { count } = columns;
    const agents = new Float64Array(count).fill(1);
    const live = Float64Array.from(columns.column("status"), (status) =>
      hasEnded(STATUSES[status] as Status) ? 0 : 1,
    );
    const copies = COPIED.map((name) => [name, columns.column(name).slice()]);
    this.#sums = { agents, live, ...Object.fromEntries(copies) };
    const parents = columns.column("parent");
    for (const column of Object.values(this.#sums)) {
      for (let at = count - 1; at >= 0; at -= 1) {
        const parent = parents[at] as number;
        if (parent >= 0) column[parent] = (column[parent] as number) + (column[at] as number);
      }
    }
  }

  at(place: number): MutableSums {
    const sum = (name: SumColumn) => this.#sums[name][place] as number;
    return {
      agents: sum("agents"),
      live: sum("live"),
      turns: sum("turns"),
      usage: {
        input: sum("input"),
        output: sum("output"),
        cacheRead: sum("cacheRead"),
        cacheWrite: sum("cacheWrite"),
      },
      costUsd: tidy(sum("costUsd")),
      estimatedUsd: tidy(sum("estimatedUsd")),
      reservedUsd: tidy(sum("reservedUsd")),
    };
  }
}

const COPIED = [
  "turns",
  "input",
  "output",
  "cacheRead",
  "cacheWrite",
  "costUsd",
  "estimatedUsd",
  "reservedUsd",
] as const;
type SumColumn = (typeof COPIED)[number] | "agents" | "live";

/** Sums of many small dollars drift in binary; a billionth of a dollar is far below any price. */
export function tidy(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}
