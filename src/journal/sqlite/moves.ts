/** Moves of bodies between the database and an archive, on the writer's thread: each is one transaction (X1, X3). */
import type { DatabaseSync } from "node:sqlite";
import { BanyanError } from "../../base/errors.ts";
import type { ArchivePart } from "../archive.ts";

/** Records of the agent of number `n`, from `first` to `last`. */
export interface Span {
  readonly n: number;
  readonly first: number;
  readonly last: number;
}

export type Move =
  | { readonly to: "archive"; readonly part: Omit<ArchivePart, "id">; readonly spans: readonly Span[] }
  | {
      readonly to: "database";
      readonly part: number;
      readonly bodies: readonly (readonly [Span, readonly string[]])[];
    }
  | { readonly to: "disk" };

export class Moves {
  readonly #database: DatabaseSync;
  readonly #epoch: number;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: DatabaseSync, epoch: number) {
    this.#database = database;
    this.#epoch = epoch;
    this.#statements = prepare(database);
  }

  /** After a throw nothing of it was kept, and the connection is not to be used again. @throws JOURNAL_CONFLICT, JOURNAL_DAMAGED */
  make(move: Move): void {
    if (move.to === "disk") this.#shrink();
    else this.#transact(move);
  }

  #transact(move: Exclude<Move, { to: "disk" }>): void {
    this.#database.exec("BEGIN IMMEDIATE");
    if (this.#statements.epoch.get()?.value !== this.#epoch) {
      throw new BanyanError("JOURNAL_CONFLICT", `epoch ${this.#epoch} is over`);
    }
    if (move.to === "archive") this.#out(move);
    else this.#back(move);
    this.#database.exec("COMMIT");
  }

  /** The whole of it passes through the log, which is then cut. */
  #shrink(): void {
    this.#database.exec("VACUUM");
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Rows are taken away before shorter ones are put in their places, for SQLite merges pages only where rows are taken away. */
  #out({ part, spans }: Extract<Move, { to: "archive" }>): void {
    const { root, place, key, digest, bytes, records, bodyBytes, time } = part;
    const { rows, remove, bare, addPart, addSpan } = this.#statements;
    const taken = spans.flatMap(({ n, first, last }) => {
      const found = rows.all(n, first, last);
      if (found.length !== last - first + 1) {
        throw new BanyanError("JOURNAL_DAMAGED", `records ${first} to ${last} of agent number ${n} are not all there`);
      }
      return found;
    });
    const { lastInsertRowid } = addPart.run(root, place, key, digest, bytes, records, bodyBytes, time);
    for (const { n, first, last } of spans) {
      addSpan.run(n, first, last, lastInsertRowid);
      remove.run(n, first, last);
    }
    for (const row of taken) {
      const { position, agent, seq, time: written, type, crc } = row as Record<string, number | string>;
      bare.run(position ?? null, agent ?? null, seq ?? null, written ?? null, type ?? null, crc ?? null);
    }
  }

  #back({ part, bodies }: Extract<Move, { to: "database" }>): void {
    const { body, removeSpans, removePart } = this.#statements;
    for (const [{ n, first }, texts] of bodies) {
      for (const [index, text] of texts.entries()) body.run(text, n, first + index);
    }
    removeSpans.run(part);
    removePart.run(part);
  }
}

function prepare(database: DatabaseSync) {
  return {
    epoch: database.prepare("SELECT value FROM meta WHERE key = 'epoch'"),
    rows: database.prepare(
      "SELECT position, agent, seq, time, type, crc FROM events WHERE agent = ? AND seq >= ? AND seq <= ? ORDER BY seq",
    ),
    remove: database.prepare("DELETE FROM events WHERE agent = ? AND seq >= ? AND seq <= ?"),
    bare: database.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, '', ?)"),
    addPart: database.prepare(
      "INSERT INTO parts (root, place, key, digest, bytes, records, body_bytes, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ),
    addSpan: database.prepare("INSERT INTO spans VALUES (?, ?, ?, ?)"),
    body: database.prepare("UPDATE events SET body = ? WHERE agent = ? AND seq = ?"),
    removeSpans: database.prepare("DELETE FROM spans WHERE part = ?"),
    removePart: database.prepare("DELETE FROM parts WHERE id = ?"),
  };
}
