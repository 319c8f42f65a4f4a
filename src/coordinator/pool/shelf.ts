/** Where the pool keeps what it has and knows of one profile of one tenant. */
import type { Execution } from "../../agent/events.ts";
import type { Profile } from "../../drivers/driver.ts";
import { newScaler, type Scaler } from "./autoscaler.ts";
import type { Member } from "./member.ts";
import { Samples } from "./samples.ts";

/** Starts whose durations are remembered. */
const WARMUPS = 64;

export class Shelf {
  readonly tenant: string;
  /** As it was last asked for. */
  profile: Profile;
  /** Ready sessions, oldest first; those set aside for an agent are not among them. */
  readonly ready = new Set<Member>();
  readonly warming = new Set<Member>();
  /** Sessions in any state, and agents that wait for one. */
  members = 0;
  claims = 0;
  /** When it was last asked for a session. */
  usedMs: number;
  /** Ready sessions that there should be, and the autoscaler that finds it. */
  target = 0;
  scaler: Scaler;
  /** Whose calls its newest agent makes. */
  execution: Execution;
  /** Warm-ups that failed in a row, and until when none is tried because of them. */
  failures = 0;
  failedUntilMs = 0;
  readonly #warmups = new Samples(WARMUPS);
  /** Resident bytes of the largest of its sessions that was measured. */
  #measured: number | undefined;

  constructor({ tenant, profile, execution }: Pick<Shelf, "tenant" | "profile" | "execution">, nowMs: number) {
    this.tenant = tenant;
    this.profile = profile;
    this.execution = execution;
    this.scaler = newScaler(nowMs);
    this.usedMs = nowMs;
  }

  /** What a session of this profile is charged with before it was measured itself. */
  get bytes(): number {
    return this.#measured ?? this.profile.memoryBytes;
  }

  /** How long 95 of 100 starts took at most. */
  get warmupMs(): number {
    return this.#warmups.percentile(0.95) ?? this.profile.warmupMs;
  }

  started(tookMs: number): void {
    this.#warmups.add(tookMs);
  }

  /** Of the sessions that are there now. */
  measured(bytesMax: number): void {
    this.#measured = bytesMax;
  }
}
