/**
 * Restore points as people have them: listed, named, pinned, compared. Nothing here is needed to go back to one: every message
 * boundary is a restore point.
 */
import type { Sender } from "../agent/events.ts";
import type { State } from "../agent/state.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { type CheckpointDiff, diffOf } from "../checkpoints/diff.ts";
import { type KeepPolicy, keptBy } from "../checkpoints/keep-policy.ts";
import { type ListedCheckpoint, listCheckpoints } from "../checkpoints/listing.ts";
import type { TreeChange } from "../checkpoints/work-trees.ts";
import type { Origin } from "../journal/journal.ts";
import type { Files } from "./files.ts";
import { foldAgent, history } from "./fold.ts";
import type { Roster } from "./roster.ts";

/** An event's sequence, or the name of a checkpoint. */
export type RestorePoint = number | string;

/** A named checkpoint under a policy. */
export interface Rotated {
  name: string;
  seq: number;
  time: number;
  /** Why it is kept: a rule of the policy, `pin`, `fork` or `verified`. Empty for one that is forgotten. */
  keptBy: string[];
}

/** What became of the agent's files; null when they were not kept at both points. `filesLeft` more are not told. */
export interface FileChanges {
  files: TreeChange[] | null;
  filesLeft: number;
}

const PERSON: Sender = { kind: "person" };

export class Checkpoints {
  readonly #roster: Roster;
  readonly #files: Files;

  constructor(roster: Roster, files: Files) {
    this.#roster = roster;
    this.#files = files;
  }

  /** In the order of their events, those of the past that it shares with its origin included. Reads all of its events. */
  async list(agent: AgentId): Promise<ListedCheckpoint[]> {
    const state = await this.#roster.cell(agent).load();
    const forkedAt = await this.#forkedAt(agent);
    return listCheckpoints({ state, history: history(this.#roster.past.journal, agent), forkedAt });
  }

  /** The agent as it stood there. @throws CHECKPOINT_NOT_FOUND */
  async state(agent: AgentId, point: RestorePoint): Promise<State> {
    return (await foldAgent(this.#roster.past, agent, await this.resolve(agent, point))).state;
  }

  /** The tree of the files that were kept there, if any were. */
  async tree(agent: AgentId, seq: number): Promise<string | undefined> {
    return this.#files.treeAt(agent, seq);
  }

  /** What happened after `from`, up to `to`. @throws CHECKPOINT_NOT_FOUND, INPUT_INVALID when `to` is before `from` */
  async diff(agent: AgentId, from: RestorePoint, to?: RestorePoint): Promise<CheckpointDiff & FileChanges> {
    const { journal } = this.#roster.past;
    const head = this.#roster.cell(agent).head;
    const begin = await this.resolve(agent, from);
    const end = to === undefined ? head.seq : await this.resolve(agent, to);
    if (end < begin) throw new BanyanError("INPUT_INVALID", `${to ?? "now"} is before ${from}`, { agent });
    if (end > head.seq) throw new BanyanError("CHECKPOINT_NOT_FOUND", `${agent} has no event ${end}`, { agent });
    let fromTime: number | undefined;
    for await (const [record] of history(journal, agent, { from: begin, to: begin })) fromTime = record?.time;
    const records = history(journal, agent, { from: begin + 1, to: end });
    const diff = await diffOf(records, { from: begin, to: end, fromTime });
    const changes = await this.#files.changes(agent, begin, end);
    if (!changes) return { ...diff, files: null, filesLeft: 0 };
    const files = changes.slice(0, LIMITS.diffMessagesMax);
    return { ...diff, files, filesLeft: changes.length - files.length };
  }

  /** Has it kept until it is unpinned; an event that has no name gets one. Returns the name. @throws CHECKPOINT_NOT_FOUND */
  async pin(agent: AgentId, point: RestorePoint, { by = PERSON }: { by?: Sender } = {}): Promise<string> {
    const cell = this.#roster.cell(agent);
    if (typeof point === "string") {
      await cell.dispatch({ do: "pinCheckpoint", name: point, pinned: true, by });
      return point;
    }
    const known = (await cell.load()).checkpoints.findLast(({ at }) => at === point);
    if (known) return this.pin(agent, known.name, { by });
    const name = `at-${point}`;
    await cell.dispatch({ do: "nameCheckpoint", name, at: point, pinned: true, by });
    return name;
  }

  /** @throws CHECKPOINT_NOT_FOUND */
  async unpin(agent: AgentId, point: RestorePoint, { by = PERSON }: { by?: Sender } = {}): Promise<string> {
    const cell = this.#roster.cell(agent);
    const known = (await cell.load()).checkpoints.findLast(({ at, name }) => at === point || name === point);
    const name = known?.name ?? String(point);
    await cell.dispatch({ do: "pinCheckpoint", name, pinned: false, by });
    return name;
  }

  /** Lets names go; pinned ones stay. Returns how many went. */
  async forget(agent: AgentId, names: readonly string[], { by = PERSON }: { by?: Sender } = {}): Promise<number> {
    const [event] = await this.#roster.cell(agent).dispatch({ do: "forgetCheckpoints", names, by });
    return event?.type === "checkpoint.forgotten" ? event.names.length : 0;
  }

  /**
   * What a policy makes of an agent's named checkpoints, oldest first; those that nothing keeps are forgotten, unless it is a trial.
   * Pinned ones, those at which forks begin, and the newest that the agent can be restored to are kept under any policy.
   */
  async rotate(
    agent: AgentId,
    policy: KeepPolicy,
    { now, dryRun = false, by = PERSON }: { now: number; dryRun?: boolean; by?: Sender },
  ): Promise<Rotated[]> {
    const { checkpoints } = await this.#roster.cell(agent).load();
    const forkedAt = await this.#forkedAt(agent);
    const sound = await this.#newestSound(agent, checkpoints);
    const kept = keptBy(
      checkpoints.map(({ time }) => time),
      policy,
      now,
    );
    const rotated = checkpoints.map(({ name, at, time, pinned }, index) => ({
      name,
      seq: at,
      time,
      keptBy: [
        ...(pinned ? ["pin"] : []),
        ...(forkedAt.has(at) ? ["fork"] : []),
        ...(name === sound ? ["verified"] : []),
        ...(kept[index] ?? []),
      ],
    }));
    const gone = rotated.filter((each) => each.keptBy.length === 0).map(({ name }) => name);
    if (!dryRun && gone.length > 0) await this.forget(agent, gone, { by });
    return rotated;
  }

  /** The newest that the agent is folded to without a fault. */
  async #newestSound(agent: AgentId, checkpoints: State["checkpoints"]): Promise<string | undefined> {
    for (const { name, at } of checkpoints.toReversed()) {
      const isSound = await foldAgent(this.#roster.past, agent, at).then(
        () => true,
        () => false,
      );
      if (isSound) return name;
    }
    return undefined;
  }

  /** Events of the agent's past at which other agents begin. */
  async #forkedAt(agent: AgentId): Promise<Set<number>> {
    const path = await this.#path(agent);
    const forkedAt = new Set<number>();
    for (const { head } of this.#roster.forest.nodes()) {
      const { origin } = head;
      if (origin && origin.seq <= (path.get(origin.agent) ?? 0)) forkedAt.add(origin.seq);
    }
    return forkedAt;
  }

  /** The sequence of a restore point. @throws CHECKPOINT_NOT_FOUND */
  async resolve(agent: AgentId, point: RestorePoint): Promise<number> {
    if (typeof point === "number") return point;
    const { checkpoints } = await this.#roster.cell(agent).load();
    const found = checkpoints.find(({ name }) => name === point);
    if (found) return found.at;
    const known = checkpoints.slice(-NAMED_MAX).map(({ name }) => name);
    const hint = known.length > 0 ? `; it has ${known.join(", ")}` : "; it has none";
    throw new BanyanError("CHECKPOINT_NOT_FOUND", `no checkpoint ${JSON.stringify(point)}${hint}`, { agent });
  }

  /** The journals that its past is in, each with the last event of it that is. */
  async #path(agent: AgentId): Promise<Map<AgentId, number>> {
    const path = new Map<AgentId, number>();
    let at: Origin | undefined = { agent, seq: Number.MAX_SAFE_INTEGER };
    while (at) {
      path.set(at.agent, at.seq);
      const origin: Origin | undefined = (await this.#roster.past.journal.head(at.agent))?.origin;
      at = origin && { agent: origin.agent, seq: Math.min(origin.seq, at.seq) };
    }
    return path;
  }
}

/** Checkpoints that an error names. */
const NAMED_MAX = 5;
