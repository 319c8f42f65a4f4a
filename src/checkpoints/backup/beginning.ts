/**
 * Where shipping goes on: what this data has shipped is compared with what the backup has. A journal goes on with a backup only when the
 * newest record of that is its own, so that two journals are never mixed. With a public key alone nothing of the backup can be read: then what
 * is noted beside the data has to say it.
 */
import { BanyanError } from "../../base/errors.ts";
import type { Journal, StoredRecord } from "../../journal/journal.ts";
import type { Shipped } from "./shipping.ts";
import type { BackupStore } from "./store.ts";

/** What is known beside the data of a backup of it. */
export interface Remembered extends Shipped {
  /** The data was made from the backup: what the backup has beyond is not its own, and is left out from now on. */
  readonly restored?: boolean | undefined;
}

export interface BeginningOptions {
  readonly store: BackupStore;
  readonly journal: Journal;
  readonly remembered: Remembered | undefined;
  /** The claim with which this data last made the backup smaller, or was about to. */
  readonly forgetting?: { readonly owner: number; readonly base: string } | undefined;
  readonly time: number;
}

/**
 * @throws DATA_IN_USE when the backup is of other data, or another process has just taken it over; BLOB_DAMAGED; INPUT_INVALID when the
 * secret key is needed to see whose it is
 */
export async function beginShipping({
  store,
  journal,
  remembered,
  forgetting,
  time,
}: BeginningOptions): Promise<Shipped> {
  const newest = (await store.claims()).at(-1);
  if (!newest) return claim(store, { owner: 1, number: 0, previous: null, position: 0 }, time);
  if (remembered?.restored && remembered.owner === newest.owner) {
    return claim(store, { ...remembered, owner: newest.owner + 1 }, time);
  }
  if (!store.canRead && remembered?.owner === newest.owner) {
    const number = (await store.segments()).at(-1)?.number ?? 0;
    if (number === remembered.number) return remembered;
    // Shipped before a crash and not noted: it cannot be read, so it is left out and shipped again.
    if (number === remembered.number + 1) return claim(store, { ...remembered, owner: newest.owner + 1 }, time);
  }
  const end = await endOf(store, journal);
  if (!end) throw new BanyanError("DATA_IN_USE", "the backup is of other data: give it a place of its own");
  const isOwnBase = newest.base !== undefined && newest.base === forgetting?.base && newest.owner === forgetting.owner;
  if (isOwnBase || remembered?.owner === newest.owner) return { ...end, owner: newest.owner };
  if (remembered) throw new BanyanError("DATA_IN_USE", "another process has taken the backup over");
  return claim(store, { ...end, owner: newest.owner + 1 }, time);
}

async function claim(store: BackupStore, shipped: Shipped, time: number): Promise<Shipped> {
  const { owner, number, previous, position } = shipped;
  const isMine = await store.claim({ owner, time, begins: number + 1, previous });
  if (!isMine) throw new BanyanError("DATA_IN_USE", "another process has just taken the backup over");
  return { owner, number, previous, position };
}

/** How far the backup has come, if that is a place in the journal. */
async function endOf(store: BackupStore, journal: Journal): Promise<Omit<Shipped, "owner"> | undefined> {
  const names = await store.segments();
  const newest = names.at(-1);
  if (!newest) return { number: 0, previous: null, position: 0 };
  const { header, records, digest } = await store.read(newest);
  const last = records.at(-1);
  const position = last && (await placeIn(journal, last));
  return position === undefined ? undefined : { number: header.number, previous: digest, position };
}

/** The position of a record of the backup in the journal: another one in a journal that was restored. */
async function placeIn(journal: Journal, { agent, seq, time, type, body }: StoredRecord): Promise<number | undefined> {
  if (!(await journal.head(agent))) return undefined;
  for await (const [record] of journal.read(agent, { from: seq, to: seq })) {
    const isSame = record && record.time === time && record.type === type && record.body === body;
    return isSame ? record.position : undefined;
  }
  return undefined;
}
