/**
 * A launch that watches over what it started: limits of time and memory, and probes. It has no part in what follows an end, and so
 * needs no journal: it can live on a thread that never waits for a disk.
 *
 * L1  What breaks its policy is killed first and told of then (H5).
 * L2  Silence is judged at the moment it is due, everything else in rounds of LIMITS.superviseMs; a round that comes late judges nobody.
 * L3  Nobody is judged before what is readable has been read: a beat that waits in its pipe counts.
 * L4  Rounds go on only while something runs.
 */
import type { ProcessPolicy } from "../agent/process-policy.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { presentIsOver } from "../base/event-loop.ts";
import { LIMITS } from "../base/limits.ts";
import type { BareLaunch, BareLaunched, Cause, Exit, Launch, Launched, Program, Ran, SystemProcess } from "./launch.ts";
import { type Ask, Probes, systemAsk } from "./probes.ts";
import type { Sightings } from "./silence.ts";

export class WatchedLaunch implements Launch {
  readonly #bare: BareLaunch;
  readonly #clock: Clock;
  readonly #running = new Set<Watched>();
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;
  #memoryMs = 0;
  #memory: ReadonlyMap<number, number> = new Map();
  #isMemoryRead = false;

  constructor(bare: BareLaunch, clock: Clock) {
    this.#bare = bare;
    this.#clock = clock;
  }

  async launch(program: Program, policy: ProcessPolicy): Promise<Launched> {
    const clock = this.#clock;
    const bare = await this.#bare.launch(program);
    const ask = systemAsk(clock, async (argv, timeoutMs, signal) => {
      const asked = { ...program, argv, mark: `${program.mark}.probe` };
      const { end, limit } = await this.#bare.run(asked, timeoutMs, signal);
      return limit === undefined && "exitCode" in end && end.exitCode === 0;
    });
    const sight = () => this.#bare.sight(bare.system);
    const watched: Watched = new Watched(bare, { policy, clock, ask, sight, onGo: () => this.#watch(watched) });
    return watched;
  }

  run(program: Program, timeMsMax: number, signal: AbortSignal): Promise<Ran> {
    return this.#bare.run(program, timeMsMax, signal);
  }

  reap(system: SystemProcess): Promise<void> {
    return this.#bare.reap(system);
  }

  sweep(): Promise<void> {
    return this.#bare.sweep();
  }

  close(): Promise<void> {
    return this.#bare.close();
  }

  #watch(watched: Watched): void {
    this.#running.add(watched);
    void watched.exited.then(() => {
      this.#running.delete(watched);
      // L4.
      if (this.#running.size === 0) this.#timer?.cancel();
    });
    this.#goOn();
  }

  /** L2. */
  #goOn(): void {
    this.#timer?.cancel();
    if (this.#running.size === 0) return;
    const nowMs = this.#clock.monotonic();
    let dueMs = nowMs + LIMITS.superviseMs;
    for (const watched of this.#running) dueMs = Math.min(dueMs, watched.dueMs);
    this.#dueMs = Math.max(dueMs, nowMs + 1);
    this.#timer = this.#clock.timer(this.#dueMs - nowMs, () => {
      this.#round();
      this.#goOn();
    });
  }

  #round(): void {
    const lateMs = this.#clock.monotonic() - this.#dueMs;
    const isLate = lateMs > LIMITS.superviseLateMs;
    const suspects: Suspect[] = [];
    for (const watched of this.#running) {
      if (isLate) watched.forgive(lateMs);
      else watched.look();
      const cause = isLate ? undefined : watched.broken(this.#memory);
      if (cause) suspects.push({ watched, cause });
      watched.askAll();
    }
    if (suspects.length > 0) void this.#endBroken(suspects);
    void this.#readMemory();
  }

  /** L1, L3. */
  async #endBroken(suspects: readonly Suspect[]): Promise<void> {
    await presentIsOver();
    for (const { watched, cause } of suspects) if (watched.broken(this.#memory)) watched.end(cause);
  }

  async #readMemory(): Promise<void> {
    const nowMs = this.#clock.monotonic();
    if (this.#isMemoryRead || nowMs - this.#memoryMs < LIMITS.processMemoryMs) return;
    this.#isMemoryRead = true;
    this.#memoryMs = nowMs;
    const groups = new Set([...this.#running].map(({ system }) => system.pid));
    this.#memory = await this.#bare.memory(groups).catch(() => new Map<number, number>());
    this.#isMemoryRead = false;
  }
}

interface Suspect {
  readonly watched: Watched;
  readonly cause: Cause;
}

interface WatchedOptions {
  readonly policy: ProcessPolicy;
  readonly clock: Clock;
  readonly ask: Ask;
  readonly sight: () => Sightings;
  readonly onGo: () => void;
}

class Watched implements Launched {
  readonly system: SystemProcess;
  readonly exited: Promise<Exit>;
  readonly ready: Promise<void>;
  readonly #bare: BareLaunched;
  readonly #options: WatchedOptions;
  readonly #probes: Probes;
  #startMs = 0;
  #cause: Cause | undefined;
  /** It was asked to end, or ended. */
  #isEnding = false;
  #listener: (chunk: Uint8Array) => void = () => undefined;

  constructor(bare: BareLaunched, options: WatchedOptions) {
    const { policy, clock, ask, sight } = options;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#bare = bare;
    this.#options = options;
    this.#probes = new Probes({ probes: policy.probes, clock, ask, sight, onReady: resolve });
    this.ready = promise;
    this.system = bare.system;
    this.exited = bare.exited.then((exit) => {
      this.#stopJudging();
      return { ...exit, ...(this.#cause && { cause: this.#cause }) };
    });
  }

  async go(): Promise<void> {
    const { clock, onGo } = this.#options;
    const nowMs = clock.monotonic();
    // What came before the program began is none of its time.
    this.#probes.begin();
    this.#startMs = nowMs;
    onGo();
    await this.#bare.go();
  }

  onOutput(listener: (chunk: Uint8Array) => void): void {
    this.#listener = listener;
    this.#bare.onOutput((chunk) => this.#tell(this.#probes.heard(chunk)));
  }

  hold(held: boolean): void {
    this.#bare.hold(held);
  }

  write(text: string, end: boolean): Promise<void> {
    return this.#bare.write(text, end);
  }

  signal(signal: "SIGTERM" | "SIGKILL"): void {
    this.#stopJudging();
    this.#bare.signal(signal);
  }

  async clear(): Promise<number> {
    this.#stopJudging();
    const left = await this.#bare.clear();
    this.#tell(this.#probes.rest());
    return left;
  }

  /** When its silence is to be looked at, in monotonic time. */
  get dueMs(): number {
    return this.#isEnding ? Number.POSITIVE_INFINITY : this.#probes.dueMs;
  }

  forgive(stoodStillMs: number): void {
    this.#probes.forgive(stoodStillMs);
  }

  look(): void {
    if (!this.#isEnding) this.#probes.look();
  }

  askAll(): void {
    if (!this.#isEnding) this.#probes.askAll();
  }

  broken(memory: ReadonlyMap<number, number>): Cause | undefined {
    if (this.#isEnding) return undefined;
    const { policy, clock } = this.#options;
    if (policy.timeMsMax !== undefined && clock.monotonic() - this.#startMs > policy.timeMsMax)
      return { how: "timedOut" };
    const bytes = memory.get(this.system.pid) ?? 0;
    if (bytes > policy.memoryBytesMax) return { how: "overMemory", why: `${bytes} bytes are resident` };
    const { hung } = this.#probes;
    return hung === undefined ? undefined : { how: "hung", why: hung };
  }

  end(cause: Cause): void {
    this.#cause = cause;
    this.signal("SIGKILL");
  }

  #stopJudging(): void {
    this.#isEnding = true;
    this.#probes.stop();
  }

  #tell(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#listener(chunk);
  }
}
