/**
 * The verbs: what a person, a program or another agent can do to any agent at any level.
 *
 * V1  After a hold is acknowledged no model call starts in the subtree, children spawned later included.
 * V2  A verb that is acknowledged is durable.
 * V3  A verb on a subtree of any size is acknowledged soon: the end of a large one when its top has ended and nothing below can start
 *     any more. What was in flight below, and the ends of all there, are journaled behind that, by the next process if need be.
 */
import type { ArtifactReference, Budget, Sender } from "../agent/events.ts";
import { hasEnded, wantsWork } from "../agent/status.ts";
import type { ArtifactQuota } from "../artifacts/quota.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { tellReturn } from "./ends.ts";
import type { Files } from "./files.ts";
import type { Processes } from "./processes.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";
import type { NewMessage } from "./spawn.ts";
import type { Work } from "./work.ts";

export interface VerbOptions {
  /** Who asks. */
  readonly by?: Sender;
}

export interface ControlParts {
  readonly work: Work;
  readonly processes: Processes;
  readonly files: Files;
  readonly quota: ArtifactQuota;
}

const PERSON: Sender = { kind: "person" };

export class Control {
  readonly #services: Services;
  readonly #roster: Roster;
  readonly #work: Work;
  readonly #processes: Processes;
  readonly #files: Files;
  readonly #quota: ArtifactQuota;

  constructor(services: Services, roster: Roster, { work, processes, files, quota }: ControlParts) {
    this.#processes = processes;
    this.#files = files;
    this.#quota = quota;
    this.#services = services;
    this.#roster = roster;
    this.#work = work;
  }

  /** Holds the subtree (V1). Calls in flight end by themselves, or at once with `interrupt`. @throws AGENT_ENDED */
  async pause(
    agent: AgentId,
    { by = PERSON, reason = "", interrupt = false }: VerbOptions & { reason?: string; interrupt?: boolean } = {},
  ) {
    await this.#roster.cell(agent).dispatch({ do: "hold", by, reason });
    if (interrupt) await this.#interruptBelow(agent);
  }

  /**
   * Releases the agent's hold and has the subtree go on, agents in it that were interrupted included.
   * @throws NOT_HELD when there was neither
   */
  async resume(agent: AgentId, { by = PERSON }: VerbOptions = {}): Promise<void> {
    const cell = this.#roster.cell(agent);
    const { forest } = this.#roster;
    const { held } = cell.head;
    if (held) await cell.dispatch({ do: "release", by });
    const below = [...forest.subtree(agent)];
    for (const { head } of below) if (wantsWork(head) && !forest.holder(head.agent)) this.#work.kick(head.agent);
    // Those that were not interrupted have nothing to be woken from: of a large tree hardly any are read.
    const idle = below.filter(({ head }) => head.status === "waiting" && head.interrupted);
    const woken = await Promise.all(idle.map(({ head }) => this.#wake(head.agent, by)));
    if (!held && !woken.includes(true))
      throw new BanyanError("NOT_HELD", "no hold is set on it, and nothing at or below it was interrupted", { agent });
  }

  /**
   * Stops the call or the tools in flight; with `subtree`, all below too. Returns how many agents it stopped; where there are any, the agent's journal
   * says who had it done.
   */
  async interrupt(
    agent: AgentId,
    { by = PERSON, subtree = false }: VerbOptions & { subtree?: boolean } = {},
  ): Promise<number> {
    const cell = this.#roster.cell(agent);
    const isBusy = subtree ? this.#busyBelow(agent).length > 0 : this.#work.isBusy(agent);
    if (!isBusy) return 0;
    const [stopped] = await Promise.all([
      subtree ? this.#interruptBelow(agent) : this.#work.interrupt(agent).then(Number),
      cell.dispatch({ do: "interrupt", by, subtree }),
    ]);
    return stopped;
  }

  /** Writes down who made a link to an artifact. @throws JOURNAL_DAMAGED */
  async noteLink(agent: AgentId, link: { name: string; digest: string; endTime: number; by: Sender }): Promise<void> {
    await this.#roster.cell(agent).dispatch({ do: "linkArtifact", ...link });
  }

  /** Puts an artifact with the agent, as one that it made. @throws AGENT_ENDED, NAME_INVALID, QUOTA_EXCEEDED, CONTENT_TOO_LARGE, DISK_FAILED */
  async putArtifact(
    agent: AgentId,
    { name, bytes, mediaType, by = PERSON }: VerbOptions & { name: string; bytes: Uint8Array; mediaType: string },
  ): Promise<ArtifactReference> {
    const cell = this.#roster.cell(agent);
    if (hasEnded(cell.head.status)) throw new BanyanError("AGENT_ENDED", `the agent is ${cell.head.status}`, { agent });
    return this.#quota.within(agent, name, bytes, async () => {
      const artifact = { name, ...(await this.#services.blobs.put(bytes)), mediaType };
      await cell.dispatch({ do: "writeArtifact", artifact, by });
      return artifact;
    });
  }

  /** Puts a message into the inbox. A repeated `id` is delivered once. @throws AGENT_CANCELLED, PARENT_ENDED */
  send(agent: AgentId, text: string, { by = PERSON, id }: VerbOptions & { id?: string } = {}): Promise<void> {
    return this.deliver(agent, [{ id, from: by, text }]);
  }

  /** Puts messages into the inbox in one piece, so that the agent reads them in one turn. */
  async deliver(agent: AgentId, messages: readonly NewMessage[]): Promise<void> {
    const { contents, ids } = this.#services;
    const cell = this.#roster.cell(agent);
    const stowed = await Promise.all(messages.map(({ text }) => contents.stow(text)));
    if (hasEnded(cell.head.status)) await this.#beforeRevival(agent);
    const received = messages.map(({ id = ids(), from, meta }, index) => {
      return cell.dispatch({ do: "receive", id, from, content: stowed[index] ?? "", meta });
    });
    const events = (await Promise.all(received)).flat();
    if (events.some(({ type }) => type === "agent.revived")) await tellReturn(this.#roster, this.#work, agent);
  }

  /** Ends the subtree: what is in flight stops, nothing of it runs afterwards. Ending what has ended changes nothing. */
  async cancel(agent: AgentId, { by = PERSON, reason = "" }: VerbOptions & { reason?: string } = {}): Promise<void> {
    const cell = this.#roster.cell(agent);
    // First the hold on new calls, then the end: so that what is in flight is settled with what it really cost.
    if (!hasEnded(cell.head.status))
      await cell.dispatch({ do: "hold", by, reason: "being cancelled" }).catch(ignoreEnded);
    const isSmall = (this.#roster.forest.get(agent)?.subtree.live ?? 0) <= LIMITS.cancelAwaitedMax;
    const interrupted = this.#interruptBelow(agent);
    await (isSmall ? interrupted : this.#work.interrupt(agent));
    await cell.dispatch({ do: "cancel", by, reason });
    if (isSmall) {
      await this.#untilEnded(agent);
      await this.#untilNoneRuns(agent);
    }
    // V3: each loop tells of what goes wrong with its own agent.
    else interrupted.catch(() => undefined);
  }

  /**
   * Takes the conversation back to the end of the message at event `to` (0: to before the first), and goes on from there.
   * Children spawned since are cancelled. What was spent stays spent. With `files` its folder is put back to what was kept of it
   * there: it resolves when that is done, and nothing of the agent runs before.
   * @throws CHECKPOINT_NOT_FOUND, also when no files were kept; PARENT_ENDED
   */
  async rewind(
    agent: AgentId,
    to: number,
    { by = PERSON, files = false }: VerbOptions & { files?: boolean } = {},
  ): Promise<void> {
    if (!files) return this.#rewind(agent, to, { by });
    const tree = await this.#files.treeAt(agent, to);
    if (!tree)
      throw new BanyanError("CHECKPOINT_NOT_FOUND", `no files of ${agent} were kept at event ${to}`, { agent });
    const rewound = this.#rewind(agent, to, { by, tree });
    const restored = this.#files.restoreAfter(agent, rewound);
    await rewound;
    await restored;
  }

  async #rewind(agent: AgentId, to: number, { by, tree }: { by: Sender; tree?: string }): Promise<void> {
    const cell = this.#roster.cell(agent);
    const ended = hasEnded(cell.head.status);
    if (ended) await this.#beforeRevival(agent);
    await this.#work.interrupt(agent);
    await cell.dispatch({ do: "rewind", to, by, tree });
    // A call that began meanwhile is being stopped: a tool of it may still write.
    if (tree !== undefined) await this.#work.landed(agent);
    const cut = [...(await cell.load()).children.values()].filter((child) => child.cut && !child.ended);
    await Promise.all(
      cut.map((child) => this.cancel(child.agent, { by: { kind: "runtime" }, reason: "its parent was rewound" })),
    );
    if (ended) await tellReturn(this.#roster, this.#work, agent);
    this.#work.kick(agent);
  }

  /** Answers a call that waits for a person: it is to run (again), or not, and the model is told why. @throws CALL_NOT_FOUND */
  async answer(
    agent: AgentId,
    callId: string,
    decision: "rerun" | "report",
    { by = PERSON, reason }: VerbOptions & { readonly reason?: string | undefined } = {},
  ): Promise<void> {
    await this.#roster.cell(agent).dispatch({ do: "answerTool", callId, decision, by, reason });
    this.#work.kick(agent);
  }

  /** Replaces the bounds of the subtree, and wakes agents that failed for want of them no more than others. */
  async setBudget(agent: AgentId, budget: Budget, { by = PERSON }: VerbOptions = {}): Promise<void> {
    await this.#roster.cell(agent).dispatch({ do: "setBudget", budget, by });
  }

  /**
   * Names a restore point: the newest event, or event `at`; a pinned one is never forgotten. With `files` what stands in the agent's
   * folder now is kept with it. Returns its sequence.
   * @throws CHECKPOINT_NOT_FOUND
   */
  async checkpoint(
    agent: AgentId,
    name: string,
    { at, pin = false, files = false, by }: VerbOptions & { at?: number; pin?: boolean; files?: boolean } = {},
  ): Promise<number> {
    if (files && at !== undefined) {
      throw new BanyanError("INPUT_INVALID", "files are kept as they are now: leave `at` out", { agent });
    }
    if (files) await this.#files.save(agent);
    const pinned = pin || undefined;
    const [event] = await this.#roster.cell(agent).dispatch({ do: "nameCheckpoint", name, at, pinned, by });
    if (event?.type !== "checkpoint.named") throw new BanyanError("INTERNAL", "a checkpoint has a place", { agent });
    return event.at;
  }

  async #interruptBelow(agent: AgentId): Promise<number> {
    this.#roster.cell(agent);
    const busy = this.#busyBelow(agent);
    await Promise.all(busy.map((each) => this.#work.interrupt(each)));
    return busy.length;
  }

  #busyBelow(agent: AgentId): AgentId[] {
    return [...this.#roster.forest.subtree(agent)].map((node) => node.agent).filter((each) => this.#work.isBusy(each));
  }

  /** True when the agent rested because it was interrupted, and rests no more. */
  async #wake(agent: AgentId, by: Sender): Promise<boolean> {
    const events = await this.#roster.cell(agent).dispatch({ do: "revive", by }).catch(ignoreEnded);
    return events !== undefined && events.length > 0;
  }

  async #beforeRevival(agent: AgentId): Promise<void> {
    if (this.#roster.forest.isOrphan(agent))
      throw new BanyanError("PARENT_ENDED", "an agent above it has ended", { agent });
  }

  async #untilNoneRuns(agent: AgentId): Promise<void> {
    const withSome = [...this.#roster.forest.subtree(agent)].filter(({ head }) => (head.processes ?? 0) > 0);
    await Promise.all(withSome.map(({ head }) => this.#processes.end(head.agent)));
  }

  async #untilEnded(agent: AgentId): Promise<void> {
    for (const { head } of this.#roster.forest.subtree(agent)) {
      if (!hasEnded(head.status))
        await this.#roster
          .cell(head.agent)
          .dispatch({ do: "cancel", by: { kind: "runtime" }, reason: "its parent ended" });
    }
  }
}

function ignoreEnded(error: unknown): undefined {
  if (!(error instanceof BanyanError) || error.code !== "AGENT_ENDED") throw error;
}
