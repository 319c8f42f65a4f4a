/**
 * What the harness asks of everyone it measures. A contender says in words how durable it is and in what it differs; the workloads
 * (workloads.ts) are the same code for all. A contender does each thing the way its own documentation recommends.
 */
export type Workload = "W1" | "W2" | "W3" | "W4";

export interface Contender {
  readonly name: string;
  /** When what an agent did is safe, and from what. */
  readonly durable: string;
  /** Of the packages that were measured. */
  readonly versions: Readonly<Record<string, string>>;
  /** Anything that a reader has to know to judge the figures. */
  readonly note?: string;
  /** Workloads that need something that it does not have. */
  readonly cannot?: readonly Workload[];
  /** Shares of a workload that is too much for it; 1 where absent. */
  readonly scale?: Readonly<Partial<Record<Workload, number>>>;
  /** Opens the data in `folder`, which is there and may hold what an earlier one left. */
  open(folder: string): Promise<Fleet>;
}

export interface Fleet {
  /** Runs new agents, all at once, to their ends: `turns` turns with a tool call each, then the last words. Resolves to their names. */
  run(work: { readonly agents: number; readonly turns: number }): Promise<readonly string[]>;
  /** Makes one agent that had so many turns and can be forked, as cheaply as it goes. Default: `run`. */
  prepare?(turns: number): Promise<string>;
  /**
   * The number of messages in an agent's newest state, which is read from the store as after a restart and made whole: every
   * message an object of the kind that the contender's own next turn would work with.
   */
  load?(agent: string): Promise<number>;
  /** As `load`, up to where the agent could go on: what it does not look at need not be in memory. In no workload. */
  restore?(agent: string): Promise<number>;
  /** A new agent with the other's past, able to go on by itself. */
  fork?(agent: string): Promise<string>;
  /** Processes beside this one that do part of the work. */
  readonly servers?: readonly number[];
  close(): Promise<void>;
}

/** All contenders by name, in the order of the tables, each with its module in `bench/`; the first is ours. */
export const CONTENDERS: Readonly<Record<string, string>> = {
  banyan: "banyan/contender.ts",
  "sqlite-append": "peers/sqlite-append/contender.ts",
  "ai-sdk": "peers/ai-sdk/contender.ts",
  restate: "peers/restate/contender.ts",
  "openai-agents": "peers/openai-agents/contender.ts",
  "langgraph-delta": "peers/langgraph/delta.ts",
  langgraph: "peers/langgraph/contender.ts",
};
