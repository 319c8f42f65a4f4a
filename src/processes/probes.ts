/**
 * Whether a process is well, looked at from outside. Each probe is asked in its own rhythm; so many failures in a row, and the
 * process counts as hung.
 *
 * P1  Time in which this process stood still counts for nothing: a round that came late judges nobody, and takes that time off.
 * P2  Until a probe's first good answer, its failures count only once its time of grace is over.
 * P3  A probe has one question open at a time, and it is dropped when the run ends.
 */

import { get } from "node:http";
import { connect } from "node:net";
import type { ProcessPolicy } from "../agent/process-policy.ts";
import { type Clock, sleep } from "../base/clock.ts";
import { type Sightings, Silence } from "./silence.ts";

export type Probe = ProcessPolicy["probes"][number];
type Asked = Extract<Probe, { everyMs: number }>;

/** Asks once: true for a good answer. Never rejects for a bad one. */
export type Ask = (probe: Asked, signal: AbortSignal) => Promise<boolean>;

export interface ProbesOptions {
  readonly probes: readonly Probe[];
  readonly clock: Clock;
  readonly ask: Ask;
  /** What runs of the program, as the system sees it now. */
  readonly sight: () => Sightings;
  /** Told once: every probe that asks has had a good answer, and every heart has beaten. */
  readonly onReady: () => void;
}

interface Listening {
  readonly probe: Exclude<Probe, Asked>;
  readonly silence: Silence;
  wasGood: boolean;
}

interface Asking {
  readonly probe: Asked;
  /** Monotonic time of the newest question. */
  lastMs: number;
  failures: number;
  isAsked: boolean;
  wasGood: boolean;
}

/** The probes of one run. */
export class Probes {
  readonly #clock: Clock;
  readonly #options: ProbesOptions;
  readonly #listening: readonly Listening[];
  readonly #asking: readonly Asking[];
  #isReady = false;
  #startMs: number;
  readonly #over = new AbortController();
  #line = "";

  constructor(options: ProbesOptions) {
    const { probes, clock } = options;
    const startMs = clock.monotonic();
    this.#clock = clock;
    this.#options = options;
    this.#startMs = startMs;
    this.#listening = probes.filter(isListening).map((probe) => {
      const silence = new Silence(startMs, probe.kind === "heartbeat" ? firstMs(probe) : probe.limitMs);
      return { probe, silence, wasGood: probe.kind === "silence" };
    });
    this.#asking = probes.filter(isAsking).map((probe) => {
      return { probe, lastMs: startMs, failures: 0, isAsked: false, wasGood: false };
    });
  }

  /** The moment, in monotonic time, at which silence is to be looked at; Infinity when no probe minds it. */
  get dueMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#listening.map(({ silence }) => silence.dueMs));
  }

  /** Takes note of output; returns what of it is none of the heartbeats. */
  heard(chunk: Uint8Array): Uint8Array {
    const nowMs = this.#clock.monotonic();
    const hearts: Listening[] = [];
    for (const each of this.#listening) {
      if (each.probe.kind === "heartbeat") hearts.push(each);
      else each.silence.heard(nowMs, each.probe.limitMs);
    }
    return hearts.length === 0 ? chunk : this.#withoutBeats(chunk, hearts, nowMs);
  }

  /** Looks at whoever has been silent for long. */
  look(): void {
    const nowMs = this.#clock.monotonic();
    let seen: Sightings | undefined;
    const sight = () => {
      seen ??= this.#options.sight();
      return seen;
    };
    for (const { silence } of this.#listening) silence.look(nowMs, sight);
  }

  /** Why the process counts as hung, or undefined. */
  get hung(): string | undefined {
    const nowMs = this.#clock.monotonic();
    for (const each of this.#listening) {
      const over = each.silence.over(nowMs);
      if (!over) continue;
      const what = each.probe.kind === "heartbeat" ? "heartbeat" : "output";
      const waited = over.waitedMs < 1 ? "" : `, for ${Math.round(over.waitedMs)} of which it waited for a core`;
      return `no ${what} for ${Math.round(over.silentMs)} ms${waited}`;
    }
    for (const { probe, failures, wasGood } of this.#asking) {
      if (!wasGood && nowMs - this.#startMs <= probe.graceMs) continue;
      if (failures >= probe.failuresMax) return `its ${probe.kind} probe failed ${failures} times in a row`;
    }
    return undefined;
  }

  /** What it watches begins now, and not when this was made. */
  begin(): void {
    this.forgive(this.#clock.monotonic() - this.#startMs);
    this.#tellReady();
  }

  /** P1. */
  forgive(stoodStillMs: number): void {
    this.#startMs += stoodStillMs;
    for (const { silence } of this.#listening) silence.forgive(stoodStillMs);
    for (const each of this.#asking) each.lastMs += stoodStillMs;
  }

  /** Starts the questions that are due. */
  askAll(): void {
    const nowMs = this.#clock.monotonic();
    for (const each of this.#asking) this.#askWhenDue(each, nowMs);
    this.#tellReady();
  }

  /** P3: asks no more. */
  stop(): void {
    this.#over.abort();
  }

  /** What waited for the end of its line. */
  rest(): Uint8Array {
    const rest = this.#line;
    this.#line = "";
    return Buffer.from(rest, "latin1");
  }

  #askWhenDue(each: Asking, nowMs: number): void {
    if (each.isAsked || nowMs - each.lastMs < each.probe.everyMs) return;
    each.isAsked = true;
    each.lastMs = nowMs;
    const note = (good: boolean) => {
      each.isAsked = false;
      each.wasGood ||= good;
      this.#tellReady();
      each.failures = good ? 0 : each.failures + 1;
    };
    this.#options.ask(each.probe, this.#over.signal).then(note, () => note(false));
  }

  #tellReady(): void {
    if (this.#isReady || ![...this.#listening, ...this.#asking].every(({ wasGood }) => wasGood)) return;
    this.#isReady = true;
    this.#options.onReady();
  }

  /** A beat is a line of its own; what is no whole line yet waits for its end. */
  #withoutBeats(chunk: Uint8Array, hearts: readonly Listening[], nowMs: number): Uint8Array {
    const lines = `${this.#line}${Buffer.from(chunk).toString("latin1")}`.split("\n");
    const rest = lines.pop() ?? "";
    const others = lines.filter((line) => {
      const heart = hearts.find(({ probe }) => probe.kind === "heartbeat" && line.startsWith(probe.line));
      if (!heart) return true;
      heart.silence.heard(nowMs, heart.probe.limitMs);
      heart.wasGood = true;
      return false;
    });
    this.#tellReady();
    // A line that is too long to be a beat waits no longer.
    this.#line = rest.length > BEAT_LENGTH_MAX ? "" : rest;
    const passed = others.map((line) => `${line}\n`).join("") + (this.#line === "" ? rest : "");
    return Buffer.from(passed, "latin1");
  }
}

const BEAT_LENGTH_MAX = 1_000;

function isAsking(probe: Probe): probe is Asked {
  return "everyMs" in probe;
}

function isListening(probe: Probe): probe is Exclude<Probe, Asked> {
  return !isAsking(probe);
}

/** P2. */
function firstMs({ limitMs, graceMs }: Extract<Probe, { kind: "heartbeat" }>): number {
  return Math.max(limitMs, graceMs);
}

/** Asks on this machine; programs are run by `check`. */
export function systemAsk(
  clock: Clock,
  check: (argv: readonly string[], timeoutMs: number, signal: AbortSignal) => Promise<boolean>,
): Ask {
  return async (probe, over) => {
    if (probe.kind === "command") return check(probe.argv, probe.timeoutMs, over);
    const timeout = new AbortController();
    const signal = AbortSignal.any([over, timeout.signal]);
    const late = sleep(clock, probe.timeoutMs, signal).then(
      () => false,
      () => false,
    );
    const answer = probe.kind === "tcp" ? listens(probe.port, signal) : answers(probe.port, probe.path, signal);
    try {
      return await Promise.race([answer, late]);
    } finally {
      timeout.abort();
    }
  };
}

const HOST = "127.0.0.1";

function listens(port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST, signal });
    const done = (good: boolean) => {
      socket.destroy();
      resolve(good);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}

function answers(port: number, path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: HOST, port, path, signal, agent: false }, (response) => {
      response.on("error", () => undefined);
      resolve((response.statusCode ?? 500) < 400);
      request.destroy();
    });
    request.on("error", () => resolve(false));
  });
}
