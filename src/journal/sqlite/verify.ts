/**
 * Reads a whole journal and names what is damaged. Changes nothing, and works beside a writer: what is appended meanwhile is not
 * looked at. It goes on behind what is damaged, so that every record is named that is, and no other of which it can be told.
 */
import type { Damage, Verification } from "../journal.ts";
import { summarySum } from "./checksum.ts";
import { type Entry, readEntries } from "./heads.ts";
import type { Lookup } from "./lookup.ts";
import { LogCheck, messageOf, type Name } from "./verify-log.ts";
import { attempt, verifyOrder } from "./verify-order.ts";
import { witnessed } from "./witness.ts";

export async function verifyJournal(lookup: Lookup, folder: string): Promise<Verification> {
  const damaged: Damage[] = [];
  const name: Name = (agent, seq, what) => damaged.push({ agent, seq, what });
  // The witness, then the order, then the agents: a writer beside us adds to them the other way round.
  const promised = witnessed(folder);
  const newest = newestOf(lookup, name);
  checkPages(lookup, name);
  const highest = await verifyOrder(lookup, { promised, newest }, name);

  const log = new LogCheck(lookup, newest, name);
  let agents = 0;
  let last = 0;
  const entries = readEntries(lookup);
  for (let batch = next(entries, name); batch; batch = next(entries, name)) {
    for (const entry of batch) {
      agents += 1;
      nameMissing(last + 1, entry.known.n - 1, name);
      last = entry.known.n;
      checkEntry(lookup, entry, name);
      await log.walk(entry.known);
    }
  }
  nameMissing(last + 1, highest, name);
  return { agents, records: log.records, damaged };
}

/** Agents are numbered without gaps, and those that have records have a row. */
function nameMissing(first: number, last: number, name: Name): void {
  if (first > last) return;
  name(undefined, undefined, `what the journal knew of the agents numbered ${first} to ${last} is gone`);
}

function newestOf(lookup: Lookup, name: Name): number {
  const statement = lookup.prepare("SELECT max(position) FROM events");
  const row = attempt(name, () => statement.get()) as unknown as [number | null] | undefined;
  return row?.[0] ?? 0;
}

function checkPages(lookup: Lookup, name: Name): void {
  const statement = lookup.prepare("PRAGMA quick_check");
  const rows = (attempt(name, () => statement.all()) ?? []) as unknown as [string][];
  for (const [what] of rows) if (what !== "ok") name(undefined, undefined, `the database: ${what}`);
}

function checkEntry(lookup: Lookup, { known, summary }: Entry, name: Name): void {
  const { n, agent, seq, isSound } = known;
  if (!isSound) name(agent, undefined, "what the journal knows of the agent is damaged");
  try {
    if (!lookup.isIndexed(known)) name(agent, undefined, "the index of agents does not lead to it");
  } catch (error) {
    name(agent, undefined, `the index of agents: ${messageOf(error)}`);
  }
  if (!summary) return;
  const [summarySeq, text, sum] = summary;
  if (summarySum(n, summarySeq, text) !== sum || summarySeq > seq) name(agent, summarySeq, "its summary is damaged");
}

function next(entries: Generator<Entry[]>, name: Name): Entry[] | undefined {
  const result = attempt(name, () => entries.next());
  return result && !result.done ? result.value : undefined;
}
