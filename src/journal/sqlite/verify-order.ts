/**
 * The part of verifying that goes through the order of all records: no position is missing but those that are known to be lost,
 * and every record is found again in its agent's log.
 */
import { presentIsOver } from "../../base/event-loop.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Lookup } from "./lookup.ts";
import { messageOf, type Name } from "./verify-log.ts";

interface Loss {
  readonly first: number;
  readonly last: number;
}

/** `promised` is what the witness vouches for, `newest` the newest position that is there. Returns the highest agent's number. */
export async function verifyOrder(
  lookup: Lookup,
  { promised, newest }: { promised: number; newest: number },
  name: Name,
): Promise<number> {
  const losses = lossesOf(lookup, name);
  if (promised > newest) losses.push({ first: newest + 1, last: promised });
  for (const { first, last } of losses) {
    name(undefined, undefined, `acknowledged records at positions ${first} to ${last} are gone`);
  }
  const scan = lookup.prepare(
    "SELECT position, agent, seq FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ?",
  );
  const find = lookup.prepare("SELECT position FROM events WHERE agent = ? AND seq = ?");
  let highest = 0;
  for (let at = 0; at < newest; ) {
    const rows = attempt(
      name,
      () => scan.all(at, newest, LIMITS.readEventsMax) as unknown as [number, number, number][],
    );
    if (!rows || rows.length === 0) break;
    for (const [position, n, seq] of rows) {
      const gap = { first: at + 1, last: position - 1 };
      if (gap.first <= gap.last && !isKnown(losses, gap)) {
        name(undefined, undefined, `the records at positions ${gap.first} to ${gap.last} are missing`);
      }
      const found = attempt(name, () => find.get(n, seq)) as unknown as [number] | undefined;
      if (found?.[0] !== position) {
        name(agentOf(lookup, n), seq, `the record at position ${position} is not in the agent's journal`);
      }
      highest = Math.max(highest, n);
      at = position;
    }
    await presentIsOver();
  }
  return highest;
}

function lossesOf(lookup: Lookup, name: Name): Loss[] {
  const statement = lookup.prepare("SELECT first, last FROM losses ORDER BY first");
  const rows = (attempt(name, () => statement.all()) ?? []) as unknown as [number, number][];
  return rows.map(([first, last]) => ({ first, last }));
}

function isKnown(losses: readonly Loss[], gap: Loss): boolean {
  return losses.some(({ first, last }) => first <= gap.first && last === gap.last);
}

function agentOf(lookup: Lookup, n: number): string | undefined {
  try {
    return lookup.at(n).agent;
  } catch {
    return undefined;
  }
}

/** What is asked for; or undefined, the database's trouble being named. */
export function attempt<T>(name: Name, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    name(undefined, undefined, `the database: ${messageOf(error)}`);
    return undefined;
  }
}
