/**
 * All events as they become durable, once for all who follow them live: read from the journal ten times a second, and turned into text once.
 *
 * V1  No event is left out and none comes twice, from wherever a reader goes on: what was before the feed is read from the journal.
 * V2  What readers have in common is bounded, and a reader has nothing of its own but its place. One that lags behind what is kept is told so.
 * V3  While nobody reads, nothing is read.
 * V4  A reader hears something every LIMITS.feedBeatMs or so.
 */
import { eventJson } from "../../agent/codec.ts";
import { type Clock, sleep } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { StoredRecord } from "../../journal/journal.ts";
import { beginningOf, isOver, memberRecords, recordsUntilNow } from "../../runtime/events.ts";
import type { Runtime } from "../../runtime/open.ts";
import { eventMessage } from "../http-streams.ts";

export interface EventsFollowed {
  /** All agents when absent. */
  readonly agent: AgentId | undefined;
  readonly subtree: boolean;
  /** Only events after this position. */
  readonly after: number | undefined;
}

/** A message for one reader, and the position that it reaches. */
export interface ToldEvents {
  readonly bytes: Buffer;
  readonly last: number;
  /** False when it only says that the stream lives. */
  readonly isNews: boolean;
}

const BEAT = Buffer.from(":\n\n");

export class EventFeed {
  readonly #runtime: Runtime;
  readonly #clock: Clock;
  readonly #charactersMax: number;
  /** Each wakes a reader. */
  readonly #waiting = new Set<() => void>();
  #readers = 0;
  #following = new AbortController();
  /** Resolves once `#before` is known. */
  #begun: Promise<void> = Promise.resolve();
  /** Oldest first; they follow each other without a gap. */
  #frames: Frame[] = [];
  /** Events up to here are not kept. */
  #before = 0;
  #failure: unknown;

  constructor(runtime: Runtime, { charactersMax }: { charactersMax?: number | undefined } = {}) {
    this.#runtime = runtime;
    this.#clock = runtime.services.clock;
    this.#charactersMax = charactersMax ?? LIMITS.feedEventsCharactersMax;
  }

  /**
   * Messages for one reader, which takes the next one when it has taken the last. Ends when all that is followed has ended and was told.
   * @throws READER_BEHIND (V2), JOURNAL_DAMAGED, SHUTTING_DOWN
   */
  async *read(wanted: EventsFollowed, signal: AbortSignal): AsyncGenerator<ToldEvents> {
    const leave = this.#enter();
    let wake: () => void = () => undefined;
    const onAbort = () => wake();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#begun;
      const pick = memberRecords(this.#runtime, wanted);
      let at = await beginningOf(this.#runtime, wanted);
      // V1.
      while (at < this.#before && !signal.aborted) {
        for await (const { records, last } of recordsUntilNow(this.#runtime, wanted, { after: at, signal })) {
          const own = pick(records);
          at = last;
          if (own.length > 0) yield { bytes: messageOf(own), last, isNews: true };
        }
      }
      let toldMs = this.#clock.monotonic();
      let end: number | undefined;
      while (!signal.aborted) {
        for (let frame = this.#frameAfter(at); frame; frame = this.#frameAfter(at)) {
          const bytes = frame.bytesAfter(at, pick);
          at = frame.last;
          if (!bytes) continue;
          yield { bytes, last: at, isNews: true };
          toldMs = this.#clock.monotonic();
          if (signal.aborted) return;
        }
        // The forest shows an end once it is durable, and then all that came before it is.
        end = isOver(this.#runtime, wanted) ? (end ?? (await this.#runtime.services.journal.position())) : undefined;
        if (end !== undefined && at >= end) return;
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#clock.monotonic() - toldMs >= LIMITS.feedBeatMs) {
          yield { bytes: BEAT, last: at, isNews: false };
          toldMs = this.#clock.monotonic();
        }
        if (this.#frameAfter(at)) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
          this.#waiting.add(resolve);
          if (signal.aborted) resolve();
        });
        this.#waiting.delete(wake);
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      leave();
    }
  }

  /** @throws READER_BEHIND */
  #frameAfter(position: number): Frame | undefined {
    if (position < this.#before) throw new BanyanError("READER_BEHIND", "too slow to follow live");
    // Readers are near the end.
    let found: Frame | undefined;
    for (let at = this.#frames.length - 1; at >= 0; at--) {
      const frame = this.#frames[at] as Frame;
      if (frame.last <= position) break;
      found = frame;
    }
    return found;
  }

  #enter(): () => void {
    this.#readers += 1;
    if (this.#readers === 1) this.#begin();
    return () => {
      this.#readers -= 1;
      if (this.#readers > 0) return;
      this.#following.abort();
      this.#frames = [];
    };
  }

  #begin(): void {
    const following = new AbortController();
    this.#following = following;
    this.#failure = undefined;
    this.#begun = this.#runtime.services.journal.position().then((position) => {
      if (following.signal.aborted) return;
      this.#before = position;
      void this.#follow(position, following.signal).catch((error) => this.#fail(error, following.signal));
      void this.#beat(following.signal);
    });
  }

  async #follow(position: number, signal: AbortSignal): Promise<void> {
    for await (const records of this.#runtime.services.journal.follow(position, signal)) {
      if (signal.aborted) return;
      this.#keep(new Frame(records));
      this.#wakeAll();
      if (records.length < LIMITS.readEventsMax) await sleep(this.#clock, LIMITS.feedFrameMs, signal);
    }
    throw new BanyanError("SHUTTING_DOWN", "the journal is closed");
  }

  #fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#failure = error;
    this.#wakeAll();
  }

  /** V4. */
  async #beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#clock, LIMITS.feedBeatMs / 2, signal).catch(() => undefined);
      this.#wakeAll();
    }
  }

  #wakeAll(): void {
    for (const wake of this.#waiting) wake();
  }

  /** V2. */
  #keep(frame: Frame): void {
    this.#frames.push(frame);
    let characters = this.#frames.reduce((sum, each) => sum + each.characters, 0);
    while (characters > this.#charactersMax && this.#frames.length > 1) {
      const dropped = this.#frames.shift() as Frame;
      characters -= dropped.characters;
      this.#before = dropped.last;
    }
  }
}

/** Events that became durable together, as text once somebody wants it. */
class Frame {
  readonly last: number;
  readonly characters: number;
  readonly #records: readonly StoredRecord[];
  #whole: Buffer | undefined;

  constructor(records: readonly StoredRecord[]) {
    this.#records = records;
    this.last = records.at(-1)?.position ?? 0;
    this.characters = records.reduce((sum, { body }) => sum + body.length, 0);
  }

  /** One message of the picked ones that come after a position; undefined when there is none. */
  bytesAfter(
    position: number,
    pick: (records: readonly StoredRecord[]) => readonly StoredRecord[],
  ): Buffer | undefined {
    const first = this.#records[0]?.position ?? 0;
    const own = pick(first > position ? this.#records : this.#records.filter((record) => record.position > position));
    if (own.length === 0) return undefined;
    if (own !== this.#records) return messageOf(own);
    this.#whole ??= messageOf(own);
    return this.#whole;
  }
}

function messageOf(records: readonly StoredRecord[]): Buffer {
  const texts = records.map(({ agent, seq, position, time, type, body }) => {
    return `{"agent":"${agent}","seq":${seq},"position":${position},"time":${time},"event":${eventJson(type, body)}}`;
  });
  return Buffer.from(eventMessage("events", `[${texts.join(",")}]`, records.at(-1)?.position));
}
