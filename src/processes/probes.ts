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

export type Probe = ProcessPolicy["probes"][number];
type Asked = Extract<Probe, { everyMs: number }>;

/** Asks once: true for a good answer. Never rejects for a bad one. */
export type Ask = (probe: Asked, signal: AbortSignal) => Promise<boolean>;

export interface ProbesOptions {
  readonly probes: readonly Probe[];
  readonly clock: Clock;
  readonly ask: Ask;
  /** Told once: every probe that asks has had a good answer, and every heart has beaten. */
  readonly onReady: () => void;
}

interface Watched {
  readonly probe: Probe;
  /** Monotonic time of the newest sign of life, or of the newest question. */
  lastMs: number;
  failures: number;
  isAsked: boolean;
  wasGood: boolean;
}

/** The probes of one run. */
export class Probes {
  readonly #clock: Clock;
  readonly #ask: Ask;
  readonly #watched: readonly Watched[];
  readonly #onReady: () => void;
  #isReady = false;
  #startMs: number;
  readonly #over = new AbortController();
  #line = "";

  constructor({ probes, clock, ask, onReady }: ProbesOptions) {
    this.#clock = clock;
    this.#ask = ask;
    this.#onReady = onReady;
    this.#startMs = clock.monotonic();
    this.#watched = probes.map((probe) => {
      return { probe, lastMs: this.#startMs, failures: 0, isAsked: false, wasGood: false };
    });
  }

  /** The moment, in monotonic time, at which silence would count as a hang; Infinity when no probe minds it. */
  get dueMs(): number {
    let dueMs = Number.POSITIVE_INFINITY;
    for (const each of this.#watched) {
      if ("everyMs" in each.probe) continue;
      const graceEndMs = each.probe.kind === "heartbeat" && !each.wasGood ? this.#startMs + each.probe.graceMs : 0;
      dueMs = Math.min(dueMs, Math.max(each.lastMs + each.probe.limitMs, graceEndMs) + 1);
    }
    return dueMs;
  }

  /** Takes note of output; returns what of it is none of the heartbeats. */
  heard(chunk: Uint8Array): Uint8Array {
    const nowMs = this.#clock.monotonic();
    for (const each of this.#watched) if (each.probe.kind === "silence") each.lastMs = nowMs;
    const hearts = this.#watched.filter(({ probe }) => probe.kind === "heartbeat");
    return hearts.length === 0 ? chunk : this.#withoutBeats(chunk, hearts, nowMs);
  }

  /** Why the process counts as hung, or undefined. */
  get hung(): string | undefined {
    const nowMs = this.#clock.monotonic();
    for (const each of this.#watched) {
      const hung = this.#judge(each, nowMs);
      if (hung !== undefined) return hung;
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
    for (const each of this.#watched) each.lastMs += stoodStillMs;
  }

  /** Starts the questions that are due. */
  askAll(): void {
    const nowMs = this.#clock.monotonic();
    for (const each of this.#watched) if ("everyMs" in each.probe) this.#askWhenDue(each, each.probe, nowMs);
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

  #judge(each: Watched, nowMs: number): string | undefined {
    const { probe, lastMs, failures, wasGood } = each;
    const silentMs = nowMs - lastMs;
    switch (probe.kind) {
      case "heartbeat":
        if (!wasGood && nowMs - this.#startMs <= probe.graceMs) return undefined;
        return silentMs > probe.limitMs ? `no heartbeat for ${Math.round(silentMs)} ms` : undefined;
      case "silence":
        return silentMs > probe.limitMs ? `no output for ${Math.round(silentMs)} ms` : undefined;
      case "tcp":
      case "http":
      case "command":
        if (!wasGood && nowMs - this.#startMs <= probe.graceMs) return undefined;
        return failures >= probe.failuresMax ? `its ${probe.kind} probe failed ${failures} times in a row` : undefined;
    }
  }

  #askWhenDue(each: Watched, probe: Asked, nowMs: number): void {
    if (each.isAsked || nowMs - each.lastMs < probe.everyMs) return;
    each.isAsked = true;
    each.lastMs = nowMs;
    const note = (good: boolean) => {
      each.isAsked = false;
      each.wasGood ||= good;
      this.#tellReady();
      each.failures = good ? 0 : each.failures + 1;
    };
    this.#ask(probe, this.#over.signal).then(note, () => note(false));
  }

  #tellReady(): void {
    if (this.#isReady || !this.#watched.every(({ probe, wasGood }) => wasGood || probe.kind === "silence")) return;
    this.#isReady = true;
    this.#onReady();
  }

  /** A beat is a line of its own; what is no whole line yet waits for its end. */
  #withoutBeats(chunk: Uint8Array, hearts: readonly Watched[], nowMs: number): Uint8Array {
    const lines = `${this.#line}${Buffer.from(chunk).toString("latin1")}`.split("\n");
    const rest = lines.pop() ?? "";
    const others = lines.filter((line) => {
      const heart = hearts.find(({ probe }) => probe.kind === "heartbeat" && line.startsWith(probe.line));
      if (!heart) return true;
      heart.lastMs = nowMs;
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
