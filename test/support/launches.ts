/** The launch ports in memory: programs that do what a test says. */
import { BanyanError } from "../../src/base/errors.ts";
import type { BareLaunch, Exit, Launched, Program, Ran } from "../../src/processes/launch.ts";
import type { Sightings } from "../../src/processes/silence.ts";

export class TestLaunch implements BareLaunch {
  /** Every program that was prepared, in order. */
  readonly launched: TestLaunched[] = [];
  readonly reaped: number[] = [];
  readonly residentBytes = new Map<number, number>();
  /** What runs, by the number of the first process. */
  readonly sightings = new Map<number, Sightings>();
  sweeps = 0;
  closed = false;
  /** What is run ends well. */
  isWell = true;
  /** The next so many launches fail. */
  failures = 0;
  /** Called before a launch resolves: it may hold it up. */
  hold: (() => Promise<void>) | undefined;

  async launch(program: Program): Promise<TestLaunched> {
    await this.hold?.();
    if (this.failures > 0) {
      this.failures -= 1;
      throw new BanyanError("TOOL_FAILED", "it did not start");
    }
    const launched = new TestLaunched(program, 1_000 + this.launched.length);
    this.launched.push(launched);
    return launched;
  }

  /** The newest. */
  get last(): TestLaunched {
    const last = this.launched.at(-1);
    if (!last) throw new Error("nothing was launched");
    return last;
  }

  /** Those that began and have not been cleared away. */
  get running(): TestLaunched[] {
    return this.launched.filter(({ went, isCleared }) => went && !isCleared);
  }

  async run(): Promise<Ran> {
    const silent = { bytes: 0, text: "" };
    return { end: { exitCode: this.isWell ? 0 : 1 }, tookMs: 1, stdout: silent, stderr: silent, left: 0 };
  }

  sight({ pid }: { pid: number }): Sightings {
    return this.sightings.get(pid) ?? new Map();
  }

  async memory(): Promise<ReadonlyMap<number, number>> {
    return this.residentBytes;
  }

  async reap({ pid }: { pid: number }): Promise<void> {
    this.reaped.push(pid);
  }

  async sweep(): Promise<void> {
    this.sweeps += 1;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

export class TestLaunched implements Launched {
  readonly program: Program;
  readonly system: { pid: number; startTicks: number };
  readonly exited: Promise<Exit>;
  readonly ready = Promise.resolve();
  readonly signals: string[] = [];
  readonly input: string[] = [];
  went = false;
  isCleared = false;
  isHeld = false;
  /** It ends when it is asked to. */
  obeys = true;
  readonly #exit = Promise.withResolvers<Exit>();
  #listener: (chunk: Uint8Array) => void = () => {};

  constructor(program: Program, pid: number) {
    this.program = program;
    this.system = { pid, startTicks: pid * 10 };
    this.exited = this.#exit.promise;
  }

  async go(): Promise<void> {
    this.went = true;
  }

  onOutput(listener: (chunk: Uint8Array) => void): void {
    this.#listener = listener;
  }

  say(text: string): void {
    this.#listener(Buffer.from(text));
  }

  exit(code: number | undefined, signal?: string): void {
    this.#exit.resolve({ code, signal });
  }

  hold(held: boolean): void {
    this.isHeld = held;
  }

  async write(text: string): Promise<void> {
    this.input.push(text);
  }

  signal(signal: "SIGTERM" | "SIGKILL"): void {
    this.signals.push(signal);
    if (signal === "SIGKILL" || this.obeys) this.exit(undefined, signal);
  }

  async clear(): Promise<number> {
    this.exit(undefined, "SIGKILL");
    this.isCleared = true;
    return 0;
  }
}
