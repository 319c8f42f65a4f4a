/**
 * The live feed of the fleet, once for all who read it: a frame is made at most ten times a second, from what became durable since the last one, and
 * turned into text once.
 *
 * E1  A reader that begins, or was too slow, is given all agents and then every frame from that moment on: what it knows after a frame is what
 *     the forest says, or newer.
 * E2  Frames are kept up to LIMITS.feedBytesMax together, whatever readers do. A reader has nothing of its own but its place.
 * E3  While nobody reads, nothing is made and nothing is watched.
 * E4  A reader hears something every LIMITS.feedBeatMs at least.
 */
import { STATUSES } from "../../agent/status.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Coordinator } from "../../coordinator/coordinator.ts";
import type { Runtime } from "../../runtime/open.ts";
import type { FleetFrame } from "../contract/fleet-frames.ts";
import { eventMessage, messageData } from "../http-streams.ts";
import { Roll } from "./roll.ts";

export interface FeedOptions {
  readonly coordinator: Coordinator;
  readonly clock: Clock;
  /** The newest durable position. */
  readonly position: () => Promise<number>;
  /** Agents of ended trees are left out beyond so many; LIMITS.feedAgentsMax by default. */
  readonly agentsMax?: number | undefined;
  /** LIMITS.feedBytesMax by default. */
  readonly bytesMax?: number | undefined;
}

/** A frame as it is sent. */
export interface ToldFrame {
  readonly kind: FleetFrame["kind"];
  /** From which a reader may go on later; undefined within the pieces of all agents. */
  readonly place: number | undefined;
  readonly bytes: Buffer;
}

/** Agents in one piece of all. */
const PIECE_AGENTS = 2_000;

export class FleetFeed {
  readonly #options: FeedOptions;
  readonly #agentsMax: number;
  readonly #bytesMax: number;
  #readers = 0;
  #roll: Roll | undefined;
  #unwatch: () => void = () => undefined;
  #timer: Timer | undefined;
  /** Newest last; their places follow each other, and end before `#next`. */
  #frames: ToldFrame[] = [];
  #bytes = 0;
  /** Places begin beyond those of any feed before, so that one of another process is never taken for one of this. */
  #next: number;
  #position = 0;
  #modelsTold = 0;
  readonly #waiting = new Set<() => void>();

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#agentsMax = options.agentsMax ?? LIMITS.feedAgentsMax;
    this.#bytesMax = options.bytesMax ?? LIMITS.feedBytesMax;
    this.#next = options.clock.now();
  }

  /** Frames for one reader, which takes the next one when it has taken the last. `after` is a place that it has read before. */
  async *read(signal: AbortSignal, after?: number): AsyncGenerator<ToldFrame> {
    const leave = this.#enter();
    let wake: () => void = () => undefined;
    const onAbort = () => wake();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      let next = after !== undefined && this.#has(after + 1) ? after + 1 : yield* this.#all();
      let toldMs = this.#options.clock.monotonic();
      while (!signal.aborted) {
        if (!this.#has(next)) {
          yield this.#told({ kind: "missed", time: this.#options.clock.now() });
          next = yield* this.#all();
        }
        const frame = this.#frames[next - this.#firstKept];
        const nowMs = this.#options.clock.monotonic();
        if (frame) {
          next += 1;
          yield frame;
        } else if (nowMs - toldMs >= LIMITS.feedBeatMs) {
          yield this.#told({ kind: "beat", time: this.#options.clock.now() });
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            this.#waiting.add(resolve);
          });
          this.#waiting.delete(wake);
          continue;
        }
        toldMs = this.#options.clock.monotonic();
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      leave();
    }
  }

  /** True for a frame that is kept, or the one that comes next. */
  #has(place: number): boolean {
    return this.#roll !== undefined && place >= this.#firstKept && place <= this.#next;
  }

  get #firstKept(): number {
    return this.#next - this.#frames.length;
  }

  /** E1. Returns the place of the frame to go on with. */
  async *#all(): AsyncGenerator<ToldFrame, number> {
    this.#position = await this.#options.position();
    this.#makeFrame();
    const roll = this.#roll as Roll;
    const place = this.#next;
    const total = roll.count;
    const { omitted } = roll;
    for (let from = 0; from === 0 || from < total; from += PIECE_AGENTS) {
      const agents = roll.columns(from, Math.min(total, from + PIECE_AGENTS));
      const words = from === 0 ? { statuses: [...STATUSES], models: [...roll.models] } : {};
      const time = this.#options.clock.now();
      const piece = { kind: "agents", position: this.#position, time, from, total, omitted, ...words, agents };
      const isLast = from + PIECE_AGENTS >= total;
      yield this.#told(piece as FleetFrame, isLast ? place - 1 : undefined);
    }
    return place;
  }

  #told(frame: FleetFrame, place?: number): ToldFrame {
    return { kind: frame.kind, place, bytes: Buffer.from(eventMessage(frame.kind, JSON.stringify(frame), place)) };
  }

  #enter(): () => void {
    this.#readers += 1;
    if (this.#readers === 1) this.#begin();
    return () => {
      this.#readers -= 1;
      if (this.#readers === 0) this.#end();
    };
  }

  #begin(): void {
    const { coordinator } = this.#options;
    this.#beginRoll();
    this.#unwatch = coordinator.watch((agent) => this.#roll?.note(agent));
    this.#tick();
  }

  #beginRoll(): void {
    this.#roll = new Roll(this.#options.coordinator.forest, this.#agentsMax);
    this.#modelsTold = this.#roll.models.length;
    this.#frames = [];
    this.#bytes = 0;
    // Nobody's next frame is one of this roll's.
    this.#next += 2;
  }

  #end(): void {
    this.#unwatch();
    this.#timer?.cancel();
    this.#roll = undefined;
    this.#frames = [];
    this.#bytes = 0;
  }

  #tick(): void {
    this.#timer = this.#options.clock.timer(LIMITS.feedFrameMs, () => {
      this.#makeFrame();
      for (const wake of this.#waiting) wake();
      if (this.#roll) this.#tick();
      void this.#askPosition();
    });
  }

  async #askPosition(): Promise<void> {
    this.#position = await this.#options.position().catch(() => this.#position);
  }

  #makeFrame(): void {
    const roll = this.#roll as Roll;
    const changes = roll.takeChanges();
    if (!changes.born && !changes.rows) return;
    const isOfNewModels = roll.models.length > this.#modelsTold;
    this.#modelsTold = roll.models.length;
    const models = isOfNewModels ? { models: [...roll.models] } : {};
    const time = this.#options.clock.now();
    const place = this.#next;
    this.#keep(this.#told({ kind: "changes", position: this.#position, time, ...models, ...changes }, place));
    if (roll.count > 2 * this.#agentsMax) this.#beginRoll();
  }

  /** E2. */
  #keep(frame: ToldFrame): void {
    this.#frames.push(frame);
    this.#bytes += frame.bytes.length;
    this.#next += 1;
    let dropped = 0;
    while (this.#bytes > this.#bytesMax && dropped < this.#frames.length - 1) {
      this.#bytes -= this.#frames[dropped]?.bytes.length ?? 0;
      dropped += 1;
    }
    if (dropped > 0) this.#frames.splice(0, dropped);
  }
}

const feeds = new WeakMap<Runtime, FleetFeed>();

/** The one feed of a runtime, whoever reads it. */
export function fleetFeedOf(runtime: Runtime): FleetFeed {
  const known = feeds.get(runtime);
  if (known) return known;
  const { coordinator, services } = runtime;
  const made = new FleetFeed({ coordinator, clock: services.clock, position: () => services.journal.position() });
  feeds.set(runtime, made);
  return made;
}

/** Frames for a caller of the operation: all agents, and when it follows, what changes. */
export async function* fleetFrames(
  feed: FleetFeed,
  { follow, signal }: { follow: boolean; signal: AbortSignal },
): AsyncGenerator<FleetFrame[]> {
  for await (const { kind, place, bytes } of feed.read(signal)) {
    yield [messageData(bytes) as FleetFrame];
    // The last piece of all is the first frame with a place.
    if (!follow && kind === "agents" && place !== undefined) return;
  }
}
