/**
 * People: they do anything to any agent at any moment, and take a verb that was acknowledged at its word.
 */
import type { Head } from "../src/agent/state.ts";
import { hasEnded } from "../src/agent/status.ts";
import { asBanyanError, type ErrorCode } from "../src/base/errors.ts";
import type { AgentId } from "../src/base/ids.ts";
import type { Audit } from "./audit.ts";
import { type Disk, short } from "./disk.ts";
import { words } from "./mind.ts";
import type { Process } from "./process.ts";
import { MODEL, PRICE } from "./provider.ts";
import type { Dice } from "./randoms.ts";
import type { Scenario, Verb } from "./scenario.ts";
import { POLICIES } from "./tools.ts";
import type { World } from "./world.ts";

/** Something that a person asked for. */
export interface Deed {
  readonly verb: Verb;
  readonly agent: AgentId | undefined;
  readonly process: Process;
  /** Position of the journal when it was asked for. */
  readonly since: number;
  /** What identifies what it should have led to: a message's id, a new agent's. */
  mark: string | undefined;
  isOver: boolean;
}

export type DeedListener = (deed: Deed) => void;

/** What a verb may answer instead of doing it. Anything else, above all INTERNAL, is a bug. */
const REFUSALS: readonly ErrorCode[] = [
  "DISK_FAILED",
  "SHUTTING_DOWN",
  "AGENT_ENDED",
  "AGENT_CANCELLED",
  "PARENT_ENDED",
  "NOT_HELD",
  "CALL_NOT_FOUND",
  "CHECKPOINT_NOT_FOUND",
  "BUDGET_EXHAUSTED",
  "LEVELS_EXCEEDED",
];

const TOOLS = [
  ...Object.keys(POLICIES),
  "spawn_agent",
  "wait_for_agents",
  "wait_for_message",
  "send_message",
  "write_artifact",
  "read_artifact",
  "list_agents",
  "list_artifacts",
  "start_process",
  "stop_process",
  "process_output",
  "list_processes",
  "wait_for_process",
  "run_command",
];

export class People {
  readonly #world: World;
  readonly #audit: Audit;
  readonly #disk: Disk;
  readonly #asked: DeedListener[] = [];
  readonly #acknowledged: DeedListener[] = [];
  readonly deeds: Deed[] = [];
  #messages = 0;

  constructor(world: World, audit: Audit, disk: Disk) {
    this.#world = world;
    this.#audit = audit;
    this.#disk = disk;
  }

  /** Adds a listener that is told of every verb when it is asked for. */
  onAsked(listener: DeedListener): void {
    this.#asked.push(listener);
  }

  /** Adds a listener that is told of every verb when it is acknowledged. */
  onAcknowledged(listener: DeedListener): void {
    this.#acknowledged.push(listener);
  }

  /** Deeds that a living process has not answered. */
  get open(): Deed[] {
    return this.deeds.filter(({ isOver, process }) => !isOver && !process.life.isDead);
  }

  /** Does something, to someone. */
  act(process: Process): void {
    const { scenario } = this.#world;
    const dice = this.#world.dice("people");
    const nodes = [...process.coordinator.forest.nodes()].map(({ head }) => head);
    const verb: Verb = nodes.length === 0 ? "spawn" : dice.weighted(scenario.verbs);
    const head = target(verb, nodes, dice);
    if (!head && verb !== "spawn") return;
    if (GROWING.has(verb) && nodes.length >= scenario.agentsMax) return;
    // A fork of what is damaged could never be read.
    if (GROWING.has(verb) && this.#hasDamage(head)) return;
    if (verb === "spawn" && nodes.filter(({ parent }) => parent === null).length >= scenario.rootsMax) return;
    this.do(process, verb, head);
  }

  /** Asks for a verb. */
  do(process: Process, verb: Verb, head: Head | undefined): void {
    const world = this.#world;
    const deed: Deed = {
      verb,
      agent: head?.agent,
      process,
      since: this.#audit.position,
      mark: undefined,
      isOver: false,
    };
    this.deeds.push(deed);
    world.count(`verb ${verb}`);
    world.note(`asks ${process.life.number} to ${verb}${head ? ` ${short(head.agent)}` : ""}`);
    for (const listener of this.#asked) listener(deed);
    this.#carryOut(deed, head).then(
      () => {
        deed.isOver = true;
        world.note(`${verb}${head ? ` ${short(head.agent)}` : ""} done`);
        world.count(`done ${verb}`);
        this.#audit.sync();
        for (const listener of this.#acknowledged) listener(deed);
      },
      (error: unknown) => {
        deed.isOver = true;
        const { code, message, stack } = asBanyanError(error);
        world.note(`${verb}${head ? ` ${short(head.agent)}` : ""} refused: ${code} ${message}`);
        const expected = [
          ...REFUSALS,
          ...(process.isStale ? ["JOURNAL_CONFLICT"] : []),
          // The past of a fork has children of its origin's, which are not below it.
          ...(this.#hasDamage(head) || verb.startsWith("fork") ? ["JOURNAL_DAMAGED"] : []),
        ];
        if (!expected.includes(code)) world.fail("verbs", `${verb} was answered with ${code}: ${message}\n${stack}`);
      },
    );
  }

  async #carryOut(deed: Deed, head: Head | undefined): Promise<void> {
    const { scenario } = this.#world;
    const { coordinator } = deed.process;
    const { control } = coordinator;
    const dice = this.#world.dice("people's words");
    if (deed.verb === "spawn" || !head) {
      const tenant = this.#world.dice("tenants").pick(["acme", "other", "default"]);
      const spec = { ...specOf(dice, scenario), name: dice.pick(["lead", "top"]) ?? "lead", tenant };
      deed.mark = await coordinator.spawn(spec);
      return;
    }
    const { agent } = head;
    switch (deed.verb) {
      case "spawnChild":
        deed.mark = await coordinator.spawnChild(agent, specOf(dice, scenario));
        return;
      case "pause":
        return control.pause(agent, { reason: "because" });
      case "pauseNow":
        return control.pause(agent, { interrupt: true });
      case "resume":
        return control.resume(agent);
      case "interrupt":
        await control.interrupt(agent);
        return;
      case "interruptTree":
        await control.interrupt(agent, { subtree: true });
        return;
      case "send":
        deed.mark = `m${++this.#messages}`;
        return control.send(agent, words(dice, scenario), { id: deed.mark });
      case "sendTwice": {
        deed.mark = `m${++this.#messages}`;
        const id = deed.mark;
        const twice = [words(dice, scenario), words(dice, scenario)].map((text) => control.send(agent, text, { id }));
        await Promise.all(twice);
        return;
      }
      case "cancel":
        return control.cancel(agent, { reason: "enough" });
      case "rewind":
        return control.rewind(agent, this.#placeIn(head, dice));
      case "fork":
      case "forkTree":
      case "forkRoot": {
        const at = dice.chance(0.4) ? undefined : dice.int(1, head.seq);
        const as = deed.verb === "forkRoot" ? "root" : dice.chance(0.3) ? "sibling" : undefined;
        const task = dice.chance(0.6) ? { task: words(dice, scenario) } : {};
        const subtree = deed.verb === "forkTree" || (deed.verb === "forkRoot" && dice.chance(0.5));
        deed.mark = await coordinator.fork(agent, { at, as, subtree, ...task });
        return;
      }
      case "checkpoint":
        await control.checkpoint(agent, `c${dice.int(1, 5)}`, dice.chance(0.5) ? {} : { at: dice.int(1, head.seq) });
        return;
      case "answer": {
        const open = this.#audit.states.get(agent)?.open.find(({ state }) => state === "approval");
        const decision = dice.chance(0.5) ? "rerun" : "report";
        return control.answer(agent, open?.call.callId ?? "call-0", decision);
      }
      case "setBudget":
        return control.setBudget(agent, dice.chance(0.2) ? {} : { costUsd: head.costUsd + dice.between(0, 0.3) });
      case "read":
        await coordinator.state(agent);
    }
  }

  /** At it or below. */
  #hasDamage(head: Head | undefined): boolean {
    if (!head || this.#disk.damaged.size === 0) return false;
    return this.#audit.subtree(head.agent).some(({ agent }) => this.#disk.damaged.has(agent));
  }

  /** A place to rewind to: mostly one at which a message ends. */
  #placeIn({ agent, seq }: Head, dice: Dice): number {
    const state = this.#audit.states.get(agent);
    const ends = state ? [...state.entries].map((entry) => entry.seq) : [];
    if (dice.chance(0.1)) return dice.int(0, seq);
    return dice.pick([0, ...ends, ...ends]) ?? 0;
  }
}

const GROWING: ReadonlySet<Verb> = new Set(["spawn", "spawnChild", "fork", "forkTree", "forkRoot"]);

/** Whom to do it to: mostly one with whom it makes sense. */
function target(verb: Verb, heads: readonly Head[], dice: Dice): Head | undefined {
  const anyone = dice.pick(heads);
  if (dice.chance(0.15)) return anyone;
  const fitting = heads.filter((head) => {
    if (verb === "resume") return head.held || head.waitingFor === "message";
    if (verb === "answer") return head.waitingFor === "approval";
    if (verb === "rewind" || GROWING.has(verb)) return true;
    return !hasEnded(head.status);
  });
  return dice.pick(fitting) ?? anyone;
}

function specOf(dice: Dice, scenario: Scenario) {
  const isPriced = !dice.chance(0.1);
  return {
    name: dice.pick(["a", "b", "x"]) ?? "a",
    execution: {
      driver: "model" as const,
      ...MODEL,
      outputTokensMax: dice.int(50, 2_000),
      ...(isPriced && { price: PRICE }),
    },
    instructions: words(dice, scenario),
    messages: dice.chance(0.9) ? [{ from: { kind: "person" as const }, text: words(dice, scenario) }] : [],
    tools: dice.chance(0.9) ? TOOLS : TOOLS.filter(() => dice.chance(0.6)),
    rights: { commands: dice.chance(0.8), spawn: dice.chance(0.95) },
    ...(scenario.tight && dice.chance(0.7) && { budget: { costUsd: dice.between(0.01, 0.6) } }),
    mode: dice.chance(0.15) ? ("chat" as const) : ("task" as const),
    speaksFirst: dice.chance(0.2),
  };
}
