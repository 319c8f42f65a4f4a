/**
 * Snapshots that are not to be relied on: some are lost, some damaged, some cannot be written. Nobody may notice but by the time it
 * takes.
 */
import { BanyanError } from "../src/base/errors.ts";
import type { AgentId } from "../src/base/ids.ts";
import { MemorySnapshots, type SnapshotStore } from "../src/checkpoints/memory/memory-snapshots.ts";
import type { Part } from "../src/checkpoints/snapshots.ts";
import type { World } from "./world.ts";

export class BadSnapshots extends MemorySnapshots {
  readonly #world: World;

  constructor(world: World, store: SnapshotStore) {
    super(store);
    this.#world = world;
  }

  override async keep(agent: AgentId, seq: number, parts: readonly Buffer[]): Promise<void> {
    if (this.#world.strikes("snapshotLost")) return;
    if (this.#world.strikes("snapshotRefused")) throw new BanyanError("DISK_FAILED", "no space left on device");
    await super.keep(agent, seq, this.#world.strikes("snapshotDamaged") ? withLastCut(parts) : parts);
  }

  override async read(agent: AgentId, seq: number): Promise<Part[]> {
    const parts = await super.read(agent, seq);
    this.#world.count("snapshot read");
    return parts;
  }

  override async keepHeads(bytes: Buffer): Promise<void> {
    if (this.#world.strikes("snapshotLost")) return;
    if (this.#world.strikes("snapshotRefused")) throw new BanyanError("DISK_FAILED", "no space left on device");
    await super.keepHeads(this.#world.strikes("snapshotDamaged") ? bytes.subarray(0, bytes.length / 2) : bytes);
  }

  override async readHeads(): Promise<Buffer | undefined> {
    const bytes = await super.readHeads();
    if (bytes) this.#world.count("heads read");
    return bytes;
  }
}

function withLastCut(parts: readonly Buffer[]): Buffer[] {
  return parts.map((bytes, index) => (index === parts.length - 1 ? bytes.subarray(0, bytes.length / 2) : bytes));
}
