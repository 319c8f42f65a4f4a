/** The heads of all agents: what opening reads. A page that is broken hides the agents on it and no other. */
import type { StatementSync } from "node:sqlite";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { JournalHead } from "../journal.ts";
import { summarySum } from "./checksum.ts";
import type { Lookup } from "./lookup.ts";
import { AGENT_COLUMNS, type AgentRow, type Known, knownOf, type SummaryRow } from "./records.ts";

type HeadRow = [...AgentRow, ...(SummaryRow | [null, null, null])];

/** An agent's row and its summary's. */
export interface Entry {
  readonly known: Known;
  readonly summary: SummaryRow | undefined;
}

/** In the order of their first records. @throws JOURNAL_DAMAGED when all that can be read was served, and some could not */
export function* readHeads(lookup: Lookup): Generator<JournalHead[]> {
  for (const entries of readEntries(lookup)) yield entries.map(({ known, summary }) => headOf(known, summary));
}

/** Of those that have records behind the position. @throws JOURNAL_DAMAGED */
export function* readHeadsAfter(lookup: Lookup, position: number): Generator<JournalHead[]> {
  // By position: the index by agent would be read from end to end, so as not to sort.
  const changed = lookup.prepare("SELECT DISTINCT agent FROM events NOT INDEXED WHERE position > ? ORDER BY agent");
  const summary = lookup.prepare("SELECT seq, text, sum FROM summaries WHERE n = ?");
  const numbers = lookup.ask(undefined, () => changed.all(position)) as unknown as [number][];
  for (let from = 0; from < numbers.length; from += LIMITS.readEventsMax) {
    yield numbers.slice(from, from + LIMITS.readEventsMax).map(([n]) => {
      const known = lookup.at(n);
      return headOf(known, lookup.ask(known.agent, () => summary.get(n)) as unknown as SummaryRow | undefined);
    });
  }
}

/** The same, as the rows have it. */
export function* readEntries(lookup: Lookup): Generator<Entry[]> {
  const heads = lookup.prepare(
    "SELECT a.n, a.id, a.origin, a.origin_seq, a.seq, a.crc, a.sum, s.seq, s.text, s.sum FROM agents AS a " +
      "LEFT JOIN summaries AS s ON s.n = a.n WHERE a.n > ? ORDER BY a.n LIMIT ?",
  );
  let after = 0;
  for (;;) {
    let rows: HeadRow[];
    try {
      rows = lookup.ask(undefined, () => heads.all(after, LIMITS.readEventsMax)) as unknown as HeadRow[];
    } catch (error) {
      if (!(error instanceof BanyanError) || error.code !== "JOURNAL_DAMAGED") throw error;
      yield* readOneByOne(lookup, after);
      throw error;
    }
    const last = rows.at(-1);
    if (!last) return;
    after = last[0];
    yield rows.map(([n, id, origin, originSeq, seq, crc, sum, ...summary]) => ({
      known: knownOf([n, id, origin, originSeq, seq, crc, sum]),
      summary: summary[0] === null ? undefined : summary,
    }));
  }
}

/** A summary that is damaged is as good as none: the records say the same. */
export function headOf({ n, agent, origin, seq, isSound }: Known, summary: SummaryRow | undefined): JournalHead {
  const isUsable = summary && isSound && summarySum(n, summary[0], summary[1]) === summary[2];
  return { agent, origin, seq, summary: isUsable ? { seq: summary[0], text: summary[1] } : undefined };
}

/** Agents are numbered without gaps, so each can be asked for, whatever became of its neighbours. */
function* readOneByOne(lookup: Lookup, after: number): Generator<Entry[]> {
  const agent = lookup.prepare(`SELECT ${AGENT_COLUMNS} FROM agents WHERE n = ?`);
  const summary = lookup.prepare("SELECT seq, text, sum FROM summaries WHERE n = ?");
  const newest = highest(lookup);
  for (let n = after + 1; n <= newest; n += 1) {
    const row = attempt<AgentRow>(agent, n);
    if (row) yield [{ known: knownOf(row), summary: attempt<SummaryRow>(summary, n) }];
  }
}

/** The highest number of an agent, so far as it can be read: no higher than the database has room for rows. */
function highest(lookup: Lookup): number {
  const [pages = 0, bytes = 0, ...answers] = [
    "PRAGMA page_count",
    "PRAGMA page_size",
    "SELECT max(agent) FROM events",
    "SELECT max(n) FROM agents",
  ].map((sql) => attempt<[number | null]>(lookup.prepare(sql))?.[0] ?? 0);
  return Math.max(0, ...answers.filter((n) => n <= (pages * bytes) / ROW_BYTES_MIN));
}

/** The least that an agent's row takes: an id, six numbers, and what SQLite adds. */
const ROW_BYTES_MIN = 40;

function attempt<Row>(statement: StatementSync, ...values: number[]): Row | undefined {
  try {
    return statement.get(...values) as unknown as Row | undefined;
  } catch {
    return undefined;
  }
}
