/**
 * One simulated world from beginning to end: a hostile time, in which processes die, disks refuse and people meddle; then rest.
 * The checkers look after every moment.
 */
import type { Head } from "../src/agent/state.ts";
import { hasEnded } from "../src/agent/status.ts";
import { presentIsOver } from "../src/base/event-loop.ts";
import { Audit } from "./audit.ts";
import { acknowledged } from "./checkers/acknowledged.ts";
import { allowances } from "./checkers/allowances.ts";
import { blobs } from "./checkers/blobs.ts";
import { budgets } from "./checkers/budgets.ts";
import type { Checker, Scene } from "./checkers/checker.ts";
import { ends } from "./checkers/ends.ts";
import { holds } from "./checkers/holds.ts";
import { keptWord } from "./checkers/kept-word.ts";
import { processes } from "./checkers/processes.ts";
import { rights } from "./checkers/rights.ts";
import { sameState } from "./checkers/same-state.ts";
import { sessions as sessionsChecker } from "./checkers/sessions.ts";
import { singleRuns } from "./checkers/single-runs.ts";
import { Disk } from "./disk.ts";
import { People } from "./people.ts";
import { Process, type Sabotage, type Surroundings } from "./process.ts";
import { Programs } from "./programs.ts";
import { Provider } from "./provider.ts";
import type { Dice } from "./randoms.ts";
import { bringToEnd, cancelTheRest, checkNobodyIsStuck, comeToRest, type Resting } from "./rest.ts";
import { type ScenarioOptions, scenarioOf } from "./scenario.ts";
import { Sessions } from "./sessions.ts";
import { Tools } from "./tools.ts";
import { type Violation, World } from "./world.ts";

export interface SimulationOptions extends ScenarioOptions {
  /** Keeps the log. */
  readonly traced?: boolean | undefined;
  readonly sabotage?: Sabotage | undefined;
}

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Stands for the whole log, and so for all that happened. */
  readonly digest: string;
  readonly log: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly agents: number;
  readonly events: number;
  readonly simulatedMs: number;
}

const CHECKERS: readonly ((scene: Scene) => Checker)[] = [
  acknowledged,
  sameState,
  holds,
  budgets,
  ends,
  blobs,
  singleRuns,
  rights,
  keptWord,
  sessionsChecker,
  processes,
  allowances,
];

/** Runs the world of a seed. Never rejects: what goes wrong in it is its violation. */
export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const simulation = new Simulation(options);
  const onRejection = (error: unknown) => simulation.world.fail("rejections", `nobody listened to ${describe(error)}`);
  process.on("unhandledRejection", onRejection);
  try {
    await simulation.run();
  } catch (error) {
    simulation.world.fail("simulation", describe(error));
  } finally {
    await presentIsOver();
    process.off("unhandledRejection", onRejection);
  }
  return simulation.outcome;
}

class Simulation {
  readonly world: World;
  readonly #disk: Disk;
  readonly #audit: Audit;
  readonly #people: People;
  readonly #surroundings: Surroundings;
  readonly #checkers: readonly Checker[];
  #process: Process | undefined;
  /** Processes that stand still, and when they wake up. */
  readonly #frozen: { process: Process; wakeMs: number }[] = [];
  #started = 0;

  constructor({ traced = false, sabotage = {}, ...options }: SimulationOptions) {
    const world = new World(scenarioOf(options), { traced });
    this.world = world;
    this.#disk = new Disk(world);
    this.#audit = new Audit(world, this.#disk.store);
    this.#people = new People(world, this.#audit, this.#disk);
    const provider = new Provider(world, () => this.#audit.states.size);
    const tools = new Tools(world);
    const sessions = new Sessions(world);
    const programs = new Programs(world);
    this.#surroundings = { world, disk: this.#disk, provider, sessions, tools, programs, sabotage };
    const scene: Scene = {
      world,
      disk: this.#disk,
      audit: this.#audit,
      provider,
      sessions,
      tools,
      programs,
      people: this.#people,
      process: () => this.#process,
    };
    this.#checkers = CHECKERS.map((checker) => checker(scene));
  }

  get outcome(): Outcome {
    const { world } = this;
    return {
      seed: world.scenario.seed,
      violation: world.violation,
      digest: world.digest,
      log: world.log,
      counts: world.counts,
      agents: this.#audit.states.size,
      events: this.#audit.position,
      simulatedMs: world.clock.monotonic(),
    };
  }

  /** The process that was started last, if it lives. */
  readonly process = (): Process | undefined => (this.#process?.life.isDead ? undefined : this.#process);

  async run(): Promise<void> {
    const { world } = this;
    this.#start();
    for (world.step = 1; world.step <= world.scenario.steps && !world.violation; world.step++) {
      this.#happen();
      await this.#settle();
    }
    world.isHostile = false;
    if (!world.violation) await this.#rest();
  }

  /** One moment: something strikes, someone does something, or time passes. */
  #happen(): void {
    const { world } = this;
    this.#wakeFrozen();
    const now = this.#process;
    if (!now || now.life.isDead) {
      this.#start();
      return;
    }
    if (this.#strike(now)) return;
    const waitMs = world.clock.untilNext();
    const isTurn = world.dice("steps").chance(world.scenario.people) || waitMs === undefined;
    if (isTurn && now.isOpen) this.#people.act(now);
    else if (waitMs !== undefined) world.clock.advance(waitMs);
  }

  /** What may befall a process, its disk and its clock. */
  #strike(now: Process): boolean {
    const { world } = this;
    const dice = world.dice("strikes");
    if (world.strikes("crash")) return this.#kill(now);
    if (world.strikes("crashAtCall")) now.life.killAtCall(dice.int(0, 20));
    if (world.strikes("stop")) return this.#stop(now);
    if (world.strikes("blocked")) return this.#block(now, dice.between(500, 10_000));
    if (world.strikes("zombie")) return this.#freeze(now, dice.between(10, 20_000));
    if (world.strikes("diskFull")) this.#disk.fill(dice.between(1, 30_000));
    if (world.strikes("clockJump")) {
      const hours = dice.between(-72, 72);
      world.note(`the clock jumps by ${hours.toFixed(1)} hours`);
      world.clock.jumpTo(Math.round(world.clock.now() + hours * 3_600_000));
      return true;
    }
    return false;
  }

  #kill(now: Process): boolean {
    this.world.note(`${now.life.number} dies`);
    now.life.kill();
    return true;
  }

  #stop(now: Process): boolean {
    if (!now.isOpen) return false;
    now.isStopping = true;
    this.world.note(`${now.life.number} is told to stop`);
    void now.coordinator.stop().then(() => {
      this.world.count("done stop");
      this.#kill(now);
    });
    return true;
  }

  #freeze(now: Process, forMs: number): boolean {
    if (!now.isReady || !now.life.isRunning) return false;
    this.world.note(`${now.life.number} stands still`);
    now.life.freeze();
    now.isStale = true;
    this.#frozen.push({ process: now, wakeMs: this.world.clock.monotonic() + forMs });
    this.#process = undefined;
    return true;
  }

  /** Its event loop does not turn: what comes meanwhile comes all at once. */
  #block(now: Process, forMs: number): boolean {
    if (!now.life.isRunning) return false;
    this.world.note(`${now.life.number} is blocked for ${forMs.toFixed(0)} ms`);
    now.life.freeze();
    this.world.clock.timer(forMs, () => {
      if (!now.isStale) now.life.thaw();
    });
    return true;
  }

  /**
   * Hits somebody who has ended and whose parent knows it, whom nobody's past rests on, and whose money nobody counts. Between two
   * processes, for one that holds a state in memory does not read it.
   */
  #damage(dice: Dice): void {
    const { damaged, store } = this.#disk;
    const origins = new Set([...store.logs.values()].map(({ origin }) => origin?.agent));
    const isAtRest = ({ agent, status }: Head) => hasEnded(status) && !origins.has(agent) && !damaged.has(agent);
    const found = [...this.#audit.states.values()].filter(({ head }) => {
      const parent = head.parent === null ? undefined : this.#audit.states.get(head.parent);
      const isKnown = !parent || parent.children.get(head.agent)?.ended !== undefined;
      return isKnown && this.#audit.subtree(head.agent).every(isAtRest);
    });
    const target = dice.pick(found)?.head;
    if (!target) return;
    const isCounted = [...this.#audit.path(target.agent)].some(({ budget }) => budget !== null);
    this.#disk.damage(target.agent, isCounted || dice.chance(0.5));
    this.world.count("done damage");
  }

  /** A process that wakes up long after another has taken over works on for a while, as far as it gets. */
  #wakeFrozen(): void {
    for (const frozen of this.#frozen) {
      const isReady = this.#process?.isReady === true;
      if (frozen.process.life.isRunning || !isReady || this.world.clock.monotonic() < frozen.wakeMs) continue;
      this.world.note(`${frozen.process.life.number} wakes up`);
      this.world.count("done zombie");
      frozen.process.life.thaw();
    }
  }

  #start(): void {
    this.#started += 1;
    if (this.world.strikes("damage")) this.#damage(this.world.dice("damage"));
    const started = new Process(this.#surroundings, this.#started);
    this.#process = started;
    this.world.note(`${this.#started} starts`);
    void started.start(this.world).then(
      () => {
        this.#audit.sync();
        // On the way to rest, ends may not have been carried out yet: `#rest` looks when they have.
        if (this.world.isHostile) this.#look();
      },
      (error: unknown) => {
        // A process that cannot open its data dies; whoever runs it starts it again.
        if (started.life.isDead) return;
        this.world.note(`${started.life.number} cannot start: ${describe(error)}`);
        if (!describe(error).includes("DISK_FAILED")) this.world.fail("recovery", describe(error));
        started.life.kill();
      },
    );
  }

  async #settle(): Promise<void> {
    await presentIsOver();
    this.#audit.sync();
    for (const checker of this.#checkers) checker.always?.();
  }

  async #rest(): Promise<void> {
    const { world } = this;
    // Zombies have done what they could.
    for (const { process } of this.#frozen) process.life.kill();
    this.#process?.life.killAtCall(Number.POSITIVE_INFINITY);
    const resting: Resting = {
      world,
      audit: this.#audit,
      people: this.#people,
      settle: () => this.#settle(),
      process: () => this.#running(),
    };
    this.#running();
    await comeToRest(resting);
    this.#running();
    await comeToRest(resting);
    checkNobodyIsStuck(resting);
    this.#look();
    if (!world.violation) await bringToEnd(resting);
    if (!world.violation) await cancelTheRest(resting);
    this.#look();
    if (!world.violation) await this.#startAgain(resting);
  }

  /** The process, started again if it has died. */
  #running(): Process {
    if (!this.#process || this.#process.life.isDead) this.#start();
    return this.#process as Process;
  }

  #look(): void {
    for (const checker of this.#checkers) checker.sometimes?.();
  }

  /** R3, its second half: a world in which everything has ended is the same after a stop and a start. */
  async #startAgain(resting: Resting): Promise<void> {
    const { position } = this.#audit;
    this.#stop(this.#running());
    await comeToRest(resting);
    if (this.#process?.life.isRunning) this.world.fail("liveness", "the process does not stop");
    this.#running();
    await comeToRest(resting);
    this.#look();
    if (this.#audit.position !== position) {
      const { type, agent } = this.#disk.store.order[position] ?? {};
      this.world.fail("recovery", `starting again wrote ${type} for ${agent}, though everything had ended`);
    }
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? `${error.code}: ` : "";
  return `${code}${error.stack ?? error.message}`;
}
