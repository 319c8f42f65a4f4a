/**
 * The machine of a simulated world, as far as background processes go: programs that exit, hang, serve for ever or refuse to end, what
 * they leave behind, and the warden that ends them with their host, unless it dies with it. It is the witness of what runs.
 */
import type { ProcessPolicy } from "../src/agent/process-policy.ts";
import { BanyanError } from "../src/base/errors.ts";
import type { Exit, Launch, Launched, Program, Ran, SystemProcess } from "../src/processes/launch.ts";
import type { Life } from "./life.ts";
import type { World } from "./world.ts";

/** One program that was prepared. */
export interface Running {
  /** The process's id in the journal. */
  readonly id: string;
  readonly pid: number;
  readonly life: Life;
  /** `gone`: neither it nor anything that it started runs. */
  is: "prepared" | "runs" | "exited" | "gone";
}

export type BeginListener = (running: Running) => void;

/** Longest time until the warden has ended what a dead host left. */
const WARDEN_MS = 300;

export class Programs {
  readonly #world: World;
  readonly #all = new Set<SimulatedLaunched>();
  readonly #listeners: BeginListener[] = [];
  #pids = 1_000;

  constructor(world: World) {
    this.#world = world;
  }

  /** Adds a listener that is told of every program at the moment it begins. */
  onBegin(listener: BeginListener): void {
    this.#listeners.push(listener);
  }

  /** Programs of which anything runs. */
  get running(): Running[] {
    return [...this.#all].map(({ running }) => running).filter(({ is }) => is === "runs" || is === "exited");
  }

  /** The port as one host has it. */
  for(life: Life): Launch {
    const world = this.#world;
    life.onDeath(() => this.#hostDied(life));
    return {
      launch: (program, policy) => life.through(() => this.#launch(life, program, policy)),
      run: (program) => life.through(() => this.#run(program)),
      reap: (system) => life.through(async () => this.#reap(system)),
      sweep: () =>
        life.through(async () => {
          await world.sleep(world.dice("programs").between(1, 50));
          for (const each of this.#all) each.end();
        }),
      close: () => life.through(async () => undefined),
    };
  }

  async #launch(life: Life, { mark }: Program, policy: ProcessPolicy): Promise<Launched> {
    const world = this.#world;
    await world.sleep(world.dice("programs").between(1, 30));
    if (world.strikes("launchFails")) throw new BanyanError("TOOL_FAILED", "it did not start");
    this.#pids += 1;
    const running: Running = { id: mark, pid: this.#pids, life, is: "prepared" };
    const launched = new SimulatedLaunched(running, policy, {
      world,
      onBegin: () => {
        for (const listener of this.#listeners) listener(running);
      },
      onGone: () => this.#all.delete(launched),
    });
    this.#all.add(launched);
    return launched;
  }

  async #run(_: Program): Promise<Ran> {
    const dice = this.#world.dice("programs");
    const tookMs = dice.between(1, 2_000);
    await this.#world.sleep(tookMs);
    const silent = { bytes: 0, text: "" };
    return { end: { exitCode: dice.int(0, 1) }, tookMs, stdout: silent, stderr: silent, left: 0 };
  }

  #reap({ pid }: SystemProcess): void {
    for (const each of this.#all) if (each.running.pid === pid) each.end();
  }

  /** The gates close at once; the warden ends the rest, unless what killed the host killed it too. */
  #hostDied(life: Life): void {
    const world = this.#world;
    const left = [...this.#all].filter(({ running }) => running.life === life);
    for (const each of left) if (each.running.is === "prepared") each.end();
    if (left.length === 0 || world.strikes("wardenDies")) return;
    const afterMs = world.dice("programs").between(0, WARDEN_MS);
    world.clock.timer(afterMs, () => {
      for (const each of left) each.end();
    });
  }
}

interface Surroundings {
  readonly world: World;
  readonly onBegin: () => void;
  readonly onGone: () => void;
}

class SimulatedLaunched implements Launched {
  readonly running: Running;
  readonly ready = Promise.resolve();
  readonly exited: Promise<Exit>;
  readonly #with: Surroundings;
  readonly #policy: ProcessPolicy;
  readonly #exit = Promise.withResolvers<Exit>();
  #listener: (chunk: Uint8Array) => void = () => undefined;

  constructor(running: Running, policy: ProcessPolicy, surroundings: Surroundings) {
    this.running = running;
    this.#policy = policy;
    this.#with = surroundings;
    const { promise } = this.#exit;
    this.exited = new Promise((resolve) => {
      void promise.then((exit) => running.life.deliver(() => resolve(exit)));
    });
  }

  get system(): SystemProcess {
    return { pid: this.running.pid, startTicks: this.running.pid };
  }

  async go(): Promise<void> {
    const { running } = this;
    if (!running.life.calls() || running.is !== "prepared") return;
    const { world, onBegin } = this.#with;
    running.is = "runs";
    world.count("done program");
    world.note(`${running.life.number} begins program ${running.pid} of ${running.id}`);
    onBegin();
    const dice = world.dice("programs");
    if (dice.chance(0.5)) this.#say("hello\n");
    // A third serves until it is ended. One that is never started again does not: someone may wait for it.
    const serves = dice.chance(0.33) || !world.isHostile;
    if (serves && this.#policy.restart !== "never") return;
    const hung = world.strikes("programHangs") && this.#policy.probes.length > 0;
    const code = dice.chance(0.4) ? 0 : dice.int(1, 3);
    world.clock.timer(dice.between(1, 20_000), () => {
      if (hung) this.#exited({ code: undefined, signal: "SIGKILL", cause: { how: "hung", why: "no heartbeat" } });
      else this.#exited({ code, signal: undefined });
    });
  }

  onOutput(listener: (chunk: Uint8Array) => void): void {
    this.#listener = listener;
  }

  hold(): void {}

  async write(): Promise<void> {
    if (this.running.is !== "runs") throw new BanyanError("TOOL_FAILED", "it reads no input any more");
  }

  signal(signal: "SIGTERM" | "SIGKILL"): void {
    if (!this.running.life.calls()) return;
    const { world } = this.#with;
    if (signal === "SIGTERM" && world.dice("programs").chance(0.5)) return;
    world.clock.timer(world.dice("programs").between(0, 50), () => this.#exited({ code: undefined, signal }));
  }

  clear(): Promise<number> {
    const { world } = this.#with;
    return this.running.life.through(async () => {
      await world.sleep(world.dice("programs").between(0, 100));
      this.end();
      return 0;
    });
  }

  /** It, and all that it left. */
  end(): void {
    this.#exited({ code: undefined, signal: "SIGKILL" });
    if (this.running.is === "gone") return;
    this.running.is = "gone";
    this.#with.world.note(`program ${this.running.pid} is gone`);
    this.#with.onGone();
  }

  #exited(exit: Exit): void {
    if (this.running.is === "runs") this.running.is = "exited";
    this.#exit.resolve(exit);
  }

  #say(text: string): void {
    this.running.life.deliver(() => this.#listener(Buffer.from(text)));
  }
}
