/**
 * Archiving: the bodies of records that nobody reads any more leave the journal's database for an archive, as parts of about a
 * mebibyte, compressed. The rest of a record (agent, sequence, position, time, type, check value) stays, so that order, heads, forks,
 * restore points and appends are what they were; a body is fetched when it is read, and checked as any other.
 *
 * X1  A body leaves the database in the transaction that says where it is, and that comes after its part was written, made durable, read
 *     again and found equal. A crash leaves the body in one place or in both, never in none.
 * X2  What is read is the same before a move, after it, and after it came back. A part that is missing or changed is a damaged journal for
 *     the agents whose records it has, and for whoever reads all records in order; no other agent is touched by it.
 * X3  Moves are of one part each: appends wait for none of them longer than for a large commit.
 */
import type { AgentId } from "../base/ids.ts";

/** Where parts are. The journal does not know what a place is: one is written with each part, and asked for with it. */
export interface ArchiveStore {
  /** Resolves when it is durable. Twice the same is harmless. @throws STORE_FAILED, STORE_DENIED, DISK_FAILED */
  put(place: string, key: string, bytes: Uint8Array): Promise<void>;
  /** @throws OBJECT_NOT_FOUND, STORE_FAILED, STORE_DENIED, DISK_FAILED */
  get(place: string, key: string): Promise<Uint8Array>;
}

export interface ArchivePart {
  readonly id: number;
  /** Of the tree whose records it has. */
  readonly root: AgentId;
  readonly place: string;
  /** `ROOT/DIGEST.part` */
  readonly key: string;
  /** SHA-256 of its bytes, in hex. */
  readonly digest: string;
  readonly bytes: number;
  readonly records: number;
  /** Bytes of the bodies, as they were in the database. */
  readonly bodyBytes: number;
  /** When it was moved. */
  readonly time: number;
}

/** What a journal can that is able to archive. One that is open for reading lists and checks, and refuses to move (SHUTTING_DOWN). */
export interface Archiving {
  /**
   * Moves the bodies of these agents' records, a part after the other; what was moved before is left alone.
   * @throws JOURNAL_DAMAGED (nothing that is damaged is moved), DISK_FAILED, SHUTTING_DOWN; what the store throws
   */
  moveOut(root: AgentId, agents: readonly AgentId[], place: string): AsyncIterable<ArchivePart>;
  /** Moves a tree's bodies back, a part after the other; a part that came back is not needed any more. @throws as `moveOut` */
  bringBack(root: AgentId): AsyncIterable<ArchivePart>;
  /** In the order in which they were moved. */
  parts(root?: AgentId): ArchivePart[];
  /** Reads a part again. @throws JOURNAL_DAMAGED, and what the store throws */
  check(part: ArchivePart): Promise<void>;
  /** What of these agents is still in the database. */
  weigh(agents: readonly AgentId[]): { readonly records: number; readonly bodyBytes: number };
  /** Bytes of the database, and those of them that stand free for what comes. */
  room(): { readonly bytes: number; readonly freeBytes: number };
  /** Gives back what stands free. The database is written anew: appends wait for it. @throws DISK_FAILED, SHUTTING_DOWN */
  shrink(): Promise<void>;
}
