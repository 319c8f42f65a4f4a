/** What a run was promised up to a moment, read from its marks, and whether a store that was opened again keeps it. */
import { expect } from "vitest";
import type { Blobs, Digest } from "../../src/blobs/blobs.ts";
import type { Append, Journal, JournalHead, NewRecord, StoredRecord } from "../../src/journal/journal.ts";
import { headsOf, orderFrom } from "../conformance/journal-world.ts";
import type { Mark } from "./power-marks.ts";

export class Promises {
  readonly blobs = new Set<Digest>();
  /** Every record that was ever asked for, by agent and sequence. */
  readonly #asked = new Map<string, NewRecord>();
  readonly #summaries = new Map<string, string>();
  readonly #under = new Map<number, readonly Append[]>();
  /** Records that were acknowledged. */
  readonly #kept = new Set<string>();
  #rest = "";

  /** Takes in what was written to the file of marks. */
  read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(JSON.parse(line) as Mark);
  }

  get appended(): number {
    return this.#kept.size;
  }

  #take(mark: Mark): void {
    if ("stored" in mark) this.blobs.add(mark.stored);
    else if ("begins" in mark) {
      this.#under.set(mark.begins, mark.appends);
      for (const { agent, expectedSeq, records, summary } of mark.appends) {
        for (const [index, record] of records.entries()) this.#asked.set(`${agent} ${expectedSeq + index + 1}`, record);
        if (summary) this.#summaries.set(`${agent} ${expectedSeq + records.length}`, summary);
      }
    } else {
      for (const append of this.#under.get(mark.ends) ?? []) for (const key of keysOf(append)) this.#kept.add(key);
      this.#under.delete(mark.ends);
    }
  }

  /** Invariant 1, J1, J3, J4, J5. @throws what is missing, changed, in pieces, or named as damaged */
  async checkJournal(journal: Journal, { verify = true } = {}): Promise<readonly StoredRecord[]> {
    const served = await orderFrom(journal);
    const found = new Set<string>();
    for (const { agent, seq, time, type, body } of served) {
      const key = `${agent} ${seq}`;
      const asked = this.#asked.get(key);
      if (asked?.body !== body || asked.time !== time || asked.type !== type) throw new Error(`${key} is another`);
      found.add(key);
    }
    const missing = [...this.#kept].filter((key) => !found.has(key));
    expect(missing, "acknowledged and gone").toEqual([]);
    for (const appends of this.#under.values()) {
      const parts = new Set(appends.flatMap(keysOf).map((key) => found.has(key)));
      expect(parts.size, "an append is whole or absent").toBe(1);
    }
    for (const { agent, summary } of await headsOf(journal)) this.#checkSummary(agent, summary);
    if (verify) expect((await journal.verify()).damaged).toEqual([]);
    return served;
  }

  #checkSummary(agent: string, summary: JournalHead["summary"]): void {
    if (summary) expect(summary.text).toBe(this.#summaries.get(`${agent} ${summary.seq}`));
  }

  /** B1, B3: what was put is there, and nothing is there in part. `verify`: all of it is read too. */
  async checkBlobs(blobs: Blobs, { verify }: { verify: boolean }): Promise<void> {
    const found = new Set<Digest>();
    for await (const { digest } of blobs.list()) found.add(digest);
    expect([...this.blobs].filter((digest) => !found.has(digest))).toEqual([]);
    if (verify) for (const digest of found) expect(await blobs.verify(digest), "bytes under another's name").toBe(true);
  }
}

function keysOf({ agent, expectedSeq, records }: Append): string[] {
  return records.map((_, index) => `${agent} ${expectedSeq + index + 1}`);
}
