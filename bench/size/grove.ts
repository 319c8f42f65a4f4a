/**
 * Data directories of a size that no model would live to fill: agents as the coordinator would have written them, decided by the real
 * commands and appended through the real journal, many at a time.
 */
import { join } from "node:path";
import type { Command } from "../../src/agent/commands.ts";
import type { Execution } from "../../src/agent/events.ts";
import { systemClock } from "../../src/base/clock.ts";
import { createIds } from "../../src/base/ids.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { systemRandom } from "../../src/base/random.ts";
import { openFsBlobs } from "../../src/blobs/fs/fs-blobs.ts";
import { Batch } from "../../src/coordinator/batch.ts";
import type { Append, Journal } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { textOf } from "../core/payload.ts";

/**
 * How an agent without children stands: it has answered and ended, waits for a message, has work to do under a hold of its own, or under
 * none but its tree's.
 */
export type Rest = "ended" | "waiting" | "held" | "queued";

export interface Tree {
  readonly name: string;
  /** Children of the root, of each of those, and so on. */
  readonly fanOut: readonly number[];
  /** A hold on its root. */
  readonly held: boolean;
  /** Of the agents without children, in turn. */
  readonly rest: readonly Rest[];
  /** Turns of those that wait for a message, or that have ended without children; 1 by default. */
  readonly turns?: number;
  /** All of its agents have ended, parents after their children, whatever `rest` says. */
  readonly ended?: boolean;
}

const INSTRUCTIONS = textOf(1, 600);
const USAGE = { input: 900, output: 200, cacheRead: 4_000, cacheWrite: 100 };
/** Events that wait to go into one append. */
const EVENTS_AT_ONCE = 2_000;

export const EXECUTION: Execution = { driver: "model", provider: "bench", model: "fleet", outputTokensMax: 1_000 };

/** About `agents` agents at rest: half of them one held tree, the others in trees of about 1,000. */
export function mixOf(agents: number): Tree[] {
  const half = Math.max(2, Math.round(Math.sqrt(agents / 2)));
  const large: Tree = { name: "large", fanOut: [half, half], held: true, rest: ["ended", "waiting", "held"] };
  const others = Math.max(1, Math.round(agents / 2 / 1_000));
  const each = Math.max(2, Math.round(Math.sqrt(agents / 2 / others)));
  const small = Array.from({ length: others }, (_, at): Tree => {
    return { name: `tree-${at}`, fanOut: [each, each], held: false, rest: ["ended", "waiting", "ended", "held"] };
  });
  return [large, ...small];
}

/** Plants the trees in a folder, which need not be there. Returns how many agents and events they have. */
export async function plant(folder: string, trees: Iterable<Tree>): Promise<{ agents: number; events: number }> {
  const journal = await openSqliteJournal({ folder: join(folder, "journal") });
  const blobs = await openFsBlobs({ folder: join(folder, "blobs") });
  try {
    const { digest } = await blobs.put(new TextEncoder().encode("[]"));
    return await plantIn(journal, digest, trees);
  } finally {
    await blobs.close();
    await journal.close();
  }
}

/** The same in a journal that is open; `toolset` is the digest of their tools. */
export async function plantIn(
  journal: Journal,
  toolset: string,
  trees: Iterable<Tree>,
): Promise<{ agents: number; events: number }> {
  const gardener = new Gardener(journal, toolset);
  for (const tree of trees) await gardener.plant(tree);
  await gardener.flush();
  return { agents: gardener.agents, events: gardener.events };
}

class Gardener {
  agents = 0;
  events = 0;
  readonly #journal: Journal;
  readonly #toolset: string;
  readonly #ids = createIds({ clock: systemClock(), random: systemRandom });
  readonly #time = systemClock().now();
  #appends: Append[] = [];
  #waiting = 0;
  #flushing = Promise.resolve();

  constructor(journal: Journal, toolset: string) {
    this.#journal = journal;
    this.#toolset = toolset;
  }

  async plant({ name, fanOut, held, rest, turns = 1, ended = false }: Tree): Promise<void> {
    const root = this.#ids();
    await this.#grow(root, { root, parent: null, name, level: 0 }, { fanOut, rest, held, turns, ended });
  }

  async flush(): Promise<void> {
    const appends = this.#appends;
    this.#appends = [];
    this.#waiting = 0;
    await this.#flushing;
    if (appends.length > 0) this.#flushing = this.#journal.append(appends);
    await this.#flushing;
  }

  /** An agent and all below it; parents first, as the journal has it. Returns how its report reads when it has ended. */
  async #grow(
    agent: string,
    place: Place,
    { fanOut, rest, held, turns, ended }: Required<Omit<Tree, "name">>,
  ): Promise<Command | undefined> {
    const { root, level } = place;
    const [children = 0, ...below] = fanOut;
    const isLeaf = children === 0;
    const leafStands = ended ? "ended" : (rest[this.agents % rest.length] ?? "ended");
    const stands = isLeaf ? leafStands : "waiting";
    this.agents += 1;
    const person = { kind: "person" as const };
    const text = textOf(this.agents, 800);
    let batch = new Batch(agent, { head: undefined, state: undefined }, this.#time);
    const say = (...commands: Command[]) => {
      for (const command of commands) {
        const events = batch.decide(command);
        if (events instanceof Error) throw events;
      }
    };
    const put = async () => {
      if (batch.recorded.length === 0) return;
      await this.#put(batch);
      batch = new Batch(agent, { head: batch.head, state: batch.state }, this.#time);
    };
    say(
      {
        do: "create",
        ...place,
        execution: EXECUTION,
        instructions: INSTRUCTIONS,
        toolset: this.#toolset,
        tools: [],
        mode: stands === "waiting" && !ended ? "chat" : "task",
        rights: { commands: false, spawn: true },
      },
      { do: "receive", id: this.#ids(), from: person, content: text },
    );
    if (stands === "held") say({ do: "hold", by: person, reason: "kept" });
    else if (stands !== "queued") say(...turn(this.#ids(), text));
    for (let at = 1; isLeaf && (stands === "waiting" || stands === "ended") && at < turns; at += 1) {
      say({ do: "receive", id: this.#ids(), from: person, content: text }, ...turn(this.#ids(), text));
    }
    if (stands === "ended") say({ do: "complete", output: text });
    for (let at = 0; at < children; at += 1) {
      const child = this.#ids();
      const childPlace = { root, parent: agent, name: `part-${at}`, level: level + 1 };
      say({ do: "spawn", child, name: childPlace.name });
      if (at === 0) await put();
      const report = await this.#grow(child, childPlace, { fanOut: below, rest, held: false, turns, ended });
      if (report) say(report);
      if (batch.recorded.length >= LIMITS.appendEventsMax / 2) await put();
    }
    // The newest reports are read, so that it waits and does not work.
    if (children > 0 && batch.state?.inbox.length) say(...turn(this.#ids(), text));
    if (ended && !isLeaf) say({ do: "complete", output: text });
    if (held) say({ do: "hold", by: person, reason: "paused" });
    await put();
    const { seq, status } = batch.head;
    if (status !== "completed") return undefined;
    return { do: "endChild", child: agent, seq, status, output: text, artifacts: [], costUsd: 0 };
  }

  async #put(batch: Batch): Promise<void> {
    this.#appends.push(batch.append(0));
    this.events += batch.recorded.length;
    this.#waiting += batch.recorded.length;
    if (this.#waiting >= EVENTS_AT_ONCE) await this.flush();
  }
}

interface Place {
  readonly root: string;
  readonly parent: string | null;
  readonly name: string;
  readonly level: number;
}

/** One turn that answers. */
function turn(messageId: string, text: string): Command[] {
  const parts = [{ type: "text" as const, text }];
  return [
    { do: "startTurn", covered: false, reservedUsd: 0 },
    { do: "endTurn", outcome: "done", messageId, parts, finish: "stop", usage: USAGE, costUsd: 0.004 },
  ];
}
