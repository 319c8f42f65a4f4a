/** Snapshots in memory: for tests, and the store of the seeded simulation. */
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import type { Part, Snapshots } from "../snapshots.ts";

export type SnapshotStore = Map<AgentId, Map<number, readonly Buffer[]>>;

export class MemorySnapshots implements Snapshots {
  readonly #store: SnapshotStore;

  /** `store` outlives this process's hold on it. */
  constructor(store: SnapshotStore = new Map()) {
    this.#store = store;
  }

  async keep(agent: AgentId, seq: number, parts: readonly Buffer[]): Promise<void> {
    const known = this.#store.get(agent) ?? new Map<number, readonly Buffer[]>();
    this.#store.set(agent, known.set(seq, parts));
  }

  async list(agent: AgentId): Promise<number[]> {
    return [...(this.#store.get(agent)?.keys() ?? [])].sort((a, b) => b - a);
  }

  async read(agent: AgentId, seq: number): Promise<Part[]> {
    const parts = this.#store.get(agent)?.get(seq);
    if (parts === undefined) throw new BanyanError("SNAPSHOT_DAMAGED", `no snapshot ${seq} of ${agent}`, { agent });
    return parts.map((bytes) => ({ bytes: bytes.length, unpack: () => bytes }));
  }

  async delete(agent: AgentId, seq: number): Promise<void> {
    this.#store.get(agent)?.delete(seq);
  }

  async keepHeads(bytes: Buffer): Promise<void> {
    this.#store.set(HEADS, new Map([[0, [bytes]]]));
  }

  async readHeads(): Promise<Buffer | undefined> {
    return this.#store.get(HEADS)?.get(0)?.[0];
  }
}

/** No agent's id. */
const HEADS = "";
