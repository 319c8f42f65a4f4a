/**
 * The snapshots port: folded states in parts, kept beside the journal so that an agent is restored without folding all of its past.
 * Everything here is made from the journal: losing it loses time and nothing else, so nothing waits for a sync.
 *
 * S1  What is read is what was kept, or an error: a damaged snapshot is never handed over.
 * S2  A snapshot is there whole or not at all.
 */
import type { AgentId } from "../base/ids.ts";

/** A piece of a snapshot that was read, and checked with it: only whoever needs its bytes has them unpacked. */
export interface Part {
  /** How many they are. */
  readonly bytes: number;
  unpack(): Buffer;
}

export interface Snapshots {
  /** Keeps the state after the agent's event `seq`. @throws DISK_FAILED */
  keep(agent: AgentId, seq: number, parts: readonly Buffer[]): Promise<void>;
  /** Sequences of the agent's snapshots, newest first. */
  list(agent: AgentId): Promise<number[]>;
  /** As many parts as were kept. @throws SNAPSHOT_DAMAGED, also when there is none */
  read(agent: AgentId, seq: number): Promise<Part[]>;
  /** Harmless when there is none. */
  delete(agent: AgentId, seq: number): Promise<void>;
  /** Keeps the heads of all agents, in place of those kept before. @throws DISK_FAILED */
  keepHeads(bytes: Buffer): Promise<void>;
  /** Undefined when none were kept, or they cannot be read. Not checked: whoever made the bytes knows their sum. */
  readHeads(): Promise<Buffer | undefined>;
}
