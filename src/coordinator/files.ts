/**
 * The files of agents' folders: kept when tools have run, and put back by a rewind that asks for it.
 *
 * J1  Of an agent that keeps its files, what its tools made is kept before its model is called again.
 * J2  A folder that is to be put back is put back before its agent calls a model or a tool, or completes. Once at a time, whoever asks.
 * J3  Files that cannot be kept or put back are told of, and the agent goes on; but for a failed disk, which is waited out.
 */
import { decodeEvent } from "../agent/codec.ts";
import type { AgentEvent } from "../agent/events.ts";
import type { Step } from "../agent/next.ts";
import type { Entry, State } from "../agent/state.ts";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { type Digest, isDigest } from "../blobs/blobs.ts";
import { changesBetween, readTree, type TreeChange } from "../checkpoints/work-trees.ts";
import type { Cell } from "./cell.ts";
import { history } from "./fold.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";

export class Files {
  readonly #services: Services;
  readonly #roster: Roster;
  readonly #onFault: (agent: AgentId, error: unknown) => void;
  readonly #restoring = new Map<AgentId, Promise<void>>();
  /** Up to which event of an agent its folder was looked at. */
  readonly #lookedAt = new WeakMap<Cell, number>();

  constructor(services: Services, roster: Roster, onFault: (agent: AgentId, error: unknown) => void) {
    this.#services = services;
    this.#roster = roster;
    this.#onFault = onFault;
  }

  /** J1, J2. True when something was journaled: the agent is to look at its state again. @throws DISK_FAILED */
  async before(cell: Cell, state: State, step: Step["do"]): Promise<boolean> {
    const { seq } = cell.head;
    if (state.files?.restoring !== undefined) await this.restore(cell.agent);
    else if (step === "callModel" && this.#isDue(cell, state)) {
      this.#lookedAt.set(cell, seq);
      await this.save(cell.agent).catch((error) => this.#tell(cell.agent, error));
    }
    return cell.head.seq !== seq;
  }

  /** Keeps what stands in the agent's folder now, and returns its tree. @throws OUT_OF_ROOT when it has none, TOOL_FAILED, CONTENT_TOO_LARGE, DISK_FAILED */
  async save(agent: AgentId): Promise<Digest> {
    const { workTrees } = this.#services;
    const cell = this.#roster.cell(agent);
    const { root } = cell.head.rights;
    if (root === undefined || !workTrees) throw new BanyanError("OUT_OF_ROOT", "the agent has no folder", { agent });
    const before = (await cell.load()).files?.tree;
    const { added, ...saved } = await workTrees.save(root, isDigest(before) ? before : undefined);
    await cell.dispatch({ do: "saveFiles", root, ...saved, added: [...added] });
    return saved.tree;
  }

  /** Puts the folder back as a rewind has asked for. @throws DISK_FAILED; it is done then when the agent goes on */
  restore(agent: AgentId): Promise<void> {
    const running = this.#restoring.get(agent);
    if (running) return running;
    return this.restoreAfter(agent, Promise.resolve());
  }

  /** Lets nobody put the folder back before `ready`: until then something may still write in it. */
  restoreAfter(agent: AgentId, ready: Promise<unknown>): Promise<void> {
    const before = this.#restoring.get(agent);
    const restoring = (async () => {
      await Promise.allSettled([before, ready]);
      await this.#restore(agent);
    })().finally(() => {
      if (this.#restoring.get(agent) === restoring) this.#restoring.delete(agent);
    });
    this.#restoring.set(agent, restoring);
    return restoring;
  }

  /**
   * What stood in the folder at an event: what was kept right after it, before any tool ran; or else what was last kept.
   * Undefined when nothing was.
   */
  async treeAt(agent: AgentId, seq: number): Promise<Digest | undefined> {
    const { journal } = this.#services;
    const { root } = this.#roster.cell(agent).head.rights;
    for await (const events of eventsOf(history(journal, agent, { from: seq + 1 }))) {
      const index = events.findIndex((event) => event.type === "tool.started" || treeOf(event, root) !== undefined);
      const first = events[index];
      if (first) {
        const tree = treeOf(first, root);
        if (tree !== undefined) return tree;
        break;
      }
    }
    for (let to = seq, count = BACK_EVENTS; to > 0; to -= count, count *= 2) {
      let tree: Digest | undefined;
      for await (const events of eventsOf(history(journal, agent, { from: to - count + 1, to }))) {
        for (const event of events) tree = treeOf(event, root) ?? tree;
      }
      if (tree !== undefined) return tree;
    }
    return undefined;
  }

  /** What became of the files between two events; undefined when they were not kept at both. */
  async changes(agent: AgentId, from: number, to: number): Promise<TreeChange[] | undefined> {
    const { blobs } = this.#services;
    const [before, after] = [await this.treeAt(agent, from), await this.treeAt(agent, to)];
    if (!before || !after) return undefined;
    return before === after ? [] : changesBetween(await readTree(blobs, before), await readTree(blobs, after));
  }

  /** Something ran, or was told, since the folder was last looked at. */
  #isDue(cell: Cell, { head, entries, files }: State): boolean {
    if (!head.execution.keepFiles || head.rights.root === undefined || !this.#services.workTrees) return false;
    if (!files && !this.#lookedAt.has(cell)) return true;
    const since = Math.max(files?.seq ?? 0, this.#lookedAt.get(cell) ?? 0);
    for (let index = entries.length - 1; index >= 0; index--) {
      const { kind, seq } = entries.at(index) as Entry;
      if (seq <= since) return false;
      if (kind === "tools") return true;
    }
    return false;
  }

  async #restore(agent: AgentId): Promise<void> {
    const { workTrees } = this.#services;
    const cell = this.#roster.cell(agent);
    const { files, head } = await cell.load();
    const tree = files?.restoring;
    if (!isDigest(tree) || !workTrees || head.rights.root === undefined) return;
    try {
      // W2: what stands there is kept first.
      const now = await this.save(agent);
      const { written, removed, spared } = await workTrees.restore(head.rights.root, tree, now);
      await cell.dispatch({ do: "endRestore", tree, written, removed, spared });
    } catch (error) {
      this.#tell(agent, error);
      const { code, message } = asBanyanError(error);
      const counts = { written: 0, removed: 0, spared: 0 };
      await cell.dispatch({ do: "endRestore", tree, ...counts, error: { code, message } });
    }
  }

  /** J3. */
  #tell(agent: AgentId, error: unknown): void {
    const { code } = asBanyanError(error);
    if (code === "DISK_FAILED" || code === "JOURNAL_CONFLICT" || code === "SHUTTING_DOWN") throw error;
    this.#onFault(agent, error);
  }
}

/** Events that are read at first on the way back to when files were last kept. */
const BACK_EVENTS = 64;

async function* eventsOf(records: ReturnType<typeof history>): AsyncGenerator<AgentEvent[]> {
  for await (const batch of records) yield batch.map(({ type, body }) => decodeEvent(type, body));
}

/** The tree that an event says the folder was. */
function treeOf(event: AgentEvent, root: string | undefined): Digest | undefined {
  if (event.type === "files.saved" && event.root === root && isDigest(event.tree)) return event.tree;
  const isWhole = event.type === "files.restored" && event.error === undefined && event.spared === 0;
  return isWhole && isDigest(event.tree) ? event.tree : undefined;
}
