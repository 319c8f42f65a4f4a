/**
 * What the live feed says, as the model takes it: agents in columns, and changed values in rows. Agents are named by ordinals, their
 * places in the order in which they were spawned; a parent's is smaller than its children's.
 */

/** Parallel arrays, one item an agent. */
export interface AgentColumns {
  readonly id: readonly string[];
  /** Ordinal, -1 for a root. */
  readonly parent: readonly number[];
  readonly name: readonly string[];
  readonly level: readonly number[];
  /** Index in the words of the feed. */
  readonly status: readonly number[];
  /** What it waits for, "" when it does not. */
  readonly waiting: readonly string[];
  /** 1 when the hold is its own. */
  readonly hold: readonly number[];
  readonly spawnedMs: readonly number[];
  /** 0 while it lives. */
  readonly endedMs: readonly number[];
  readonly lastMs: readonly number[];
  readonly turns: readonly number[];
  /** Its own, without those below it. */
  readonly costUsd: readonly number[];
  readonly tokensIn: readonly number[];
  readonly tokensOut: readonly number[];
  /** 0 for none. */
  readonly budgetUsd: readonly number[];
  /** Index in the models of the feed. */
  readonly model: readonly number[];
  /** Ordinal, -1 for none. */
  readonly forkOf: readonly number[];
  readonly problem: readonly string[];
}

/** Changed values of agents that are known. */
export interface ChangedRows {
  readonly agent: readonly number[];
  readonly status: readonly number[];
  readonly waiting: readonly string[];
  readonly hold: readonly number[];
  readonly endedMs: readonly number[];
  readonly lastMs: readonly number[];
  readonly turns: readonly number[];
  readonly costUsd: readonly number[];
  readonly tokensIn: readonly number[];
  readonly tokensOut: readonly number[];
  readonly problem: readonly string[];
}

/** A piece of all agents. The first one, from 0, begins anew. */
export interface AgentsFrame {
  readonly position: number;
  readonly time: number;
  readonly from: number;
  readonly total: number;
  readonly statuses?: readonly string[] | undefined;
  readonly models?: readonly string[] | undefined;
  readonly agents: AgentColumns;
}

export interface ChangesFrame {
  readonly position: number;
  readonly time: number;
  readonly models?: readonly string[] | undefined;
  readonly born?: AgentColumns | undefined;
  readonly rows?: ChangedRows | undefined;
}
