/** What a screen shows of trees of any size. */
import { z } from "zod";
import { STATUSES } from "../../agent/status.ts";
import { usage } from "../../agent/usage.ts";
import { poolHealth } from "./pool.ts";
import { count, position, usd } from "./shapes.ts";
import { treeRow } from "./tree.ts";

const byStatus = z.partialRecord(z.enum(STATUSES), count);
/** For each step from the top: whether more lines of that step follow below. */
const guides = z.array(z.boolean());

const rest = {
  /** Siblings that are left out, and agents with those below them. */
  count,
  agents: count,
  /** Of the siblings. */
  byStatus,
};
const restShape = z.strictObject(rest);
export type Rest = z.infer<typeof restShape>;

const overviewLine = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("agent"),
    row: treeRow,
    guides,
    /** None of its children is shown. */ closed: z.boolean(),
  }),
  z.strictObject({ kind: z.literal("rest"), ...rest, guides }),
]);
export type OverviewLine = z.infer<typeof overviewLine>;

const total = z.strictObject({ agents: count, live: count, levels: count, costUsd: usd, usage, byStatus });
export type Total = z.infer<typeof total>;

/** Lines as they stand below each other, and the sums over all that is shown or counted. */
export const overview = z.strictObject({
  /** The order of all events: where it stands. Nothing has changed while it stays the same. */
  position,
  lines: z.array(overviewLine),
  total,
  /** Sessions, and agents that wait for one; null while there are none. */
  pool: poolHealth.pick({ ready: true, target: true, claimed: true, parked: true, waiting: true }).nullable(),
});
export type Overview = z.infer<typeof overview>;
