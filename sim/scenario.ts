/**
 * What a seed stands for: how large the world is, which faults happen in it and how often. Each seed leaves out about half of the
 * faults ("swarm testing", Groce et al., 2012): together they hide each other's effects.
 */
import { Randoms } from "./randoms.ts";

/**
 * Faults by name: how likely each is at each chance it gets, where it is on, and which invariants of docs/architecture.md,
 * section 6, it attacks, besides that every agent comes to an end.
 */
export const FAULTS = {
  /** The process dies between two moments. */
  crash: { likely: 0.004, attacks: [1, 3, 5, 6, 7, 8] },
  /** The process dies at one of its next calls of a store, a model or a tool. */
  crashAtCall: { likely: 0.004, attacks: [1, 3, 5, 6, 7, 8] },
  /** The process stands still; another is started; then the first wakes up, and does not know. */
  zombie: { likely: 0.003, attacks: [1, 2, 8] },
  /** The process stands still for seconds and goes on, and nobody took over. */
  blocked: { likely: 0.004, attacks: [4, 6] },
  /** The process is stopped in good order and started again. */
  stop: { likely: 0.003, attacks: [1, 3, 8] },
  /** For a while every write is refused. */
  diskFull: { likely: 0.004, attacks: [1, 4, 6, 7] },
  /** One write takes seconds. */
  diskStall: { likely: 0.01, attacks: [1, 4] },
  /** One write is refused. */
  diskError: { likely: 0.02, attacks: [1, 3, 7] },
  /** A snapshot is not there, could not be written, or is cut short. */
  snapshotLost: { likely: 0.1, attacks: [3] },
  snapshotRefused: { likely: 0.1, attacks: [3] },
  snapshotDamaged: { likely: 0.1, attacks: [1, 3] },
  /** A record of an agent that has ended is damaged between two processes. */
  damage: { likely: 0.4, attacks: [1] },
  /** The wall clock jumps by hours or days. */
  clockJump: { likely: 0.003, attacks: [3] },
  rateLimit: { likely: 0.08, attacks: [5] },
  overload: { likely: 0.08, attacks: [5] },
  refuse: { likely: 0.01, attacks: [5, 6] },
  unreachable: { likely: 0.05, attacks: [5] },
  /** The answer breaks off. */
  cut: { likely: 0.08, attacks: [5, 8] },
  /** The answer makes no sense. */
  garbage: { likely: 0.06, attacks: [5, 8] },
  /** The provider says nothing, or nothing more. */
  silence: { likely: 0.02, attacks: [5] },
  /** A text is 25 times as large as what stays in an event: 10 MB at one to fifty. */
  hugeText: { likely: 0.01, attacks: [1, 5, 7] },
  toolFails: { likely: 0.1, attacks: [8] },
  toolHangs: { likely: 0.04, attacks: [6, 8] },
  /** The tool does not stop when it is told to. */
  toolDeaf: { likely: 0.04, attacks: [6] },
  /** A session that nobody uses is not well when it is to be used again. */
  sessionDies: { likely: 0.1, attacks: [6] },
  /** A session does not start. */
  startFails: { likely: 0.05, attacks: [6] },
  /** A background process cannot be started. */
  launchFails: { likely: 0.1, attacks: [6] },
  /** It stands still until its probes have it ended. */
  programHangs: { likely: 0.2, attacks: [6] },
  /** What ends the programs of a dead host dies with it. */
  wardenDies: { likely: 0.3, attacks: [6] },
} as const;
export type Fault = keyof typeof FAULTS;

/** What people do, each with how likely it is among the others. */
export const VERBS = {
  spawn: 4,
  spawnChild: 2,
  pause: 4,
  pauseNow: 3,
  resume: 6,
  interrupt: 4,
  interruptTree: 2,
  send: 6,
  sendTwice: 2,
  cancel: 2,
  rewind: 5,
  fork: 3,
  forkTree: 3,
  forkRoot: 2,
  checkpoint: 2,
  answer: 4,
  setBudget: 3,
  read: 2,
} as const;
export type Verb = keyof typeof VERBS;

export interface ScenarioOptions {
  readonly seed: number;
  /** Moments of the world, before it is left alone to come to rest. */
  readonly steps?: number | undefined;
  /** More agents, deeper, for longer. */
  readonly big?: boolean | undefined;
  /** Faults and verbs that do not happen. */
  readonly without?: readonly string[] | undefined;
}

export interface Scenario {
  readonly seed: number;
  readonly steps: number;
  readonly without: readonly string[];
  readonly faults: Readonly<Record<Fault, number>>;
  readonly verbs: Readonly<Record<Verb, number>>;
  /** Probability that a step is something a person does. */
  readonly people: number;
  readonly rootsMax: number;
  readonly agentsMax: number;
  readonly levelsMax: number;
  readonly childrenMax: number;
  readonly runningMax: number;
  readonly childrenLiveMax: number;
  readonly forksPerMinute: number;
  readonly spawnsPerMinute: number | undefined;
  /** Sessions that fit the memory of a process; undefined where they cost nothing. */
  readonly sessionsMax: number | undefined;
  /** What the provider allows; undefined where it allows any number. */
  readonly requestsPerMinute: number | undefined;
  /** Texts are long: some go to the blobs, and agents at rest leave memory. */
  readonly wordy: boolean;
  /** Tokens a byte of this provider's tokenizer. */
  readonly tokensPerByte: number;
  /** Agents have budgets that they reach. */
  readonly tight: boolean;
}

export function scenarioOf({ seed, steps, big = false, without = [] }: ScenarioOptions): Scenario {
  const dice = new Randoms(seed).of("scenario");
  const left = new Set(without);
  const faults = mapped(FAULTS, (name, { likely }) => {
    const isOn = dice.chance(0.5);
    const rate = likely * dice.between(0.3, 1.7);
    return isOn && !left.has(name) ? rate : 0;
  });
  const verbs = mapped(VERBS, (name, weight) => {
    const drawn = weight * dice.between(0.2, 2);
    return left.has(name) ? 0 : drawn;
  });
  return {
    seed,
    steps: steps ?? (big ? 6_000 : 500),
    without,
    faults,
    verbs,
    people: left.has("people") ? 0 : dice.between(0.02, 0.25),
    rootsMax: dice.int(1, 4),
    agentsMax: dice.int(4, big ? 300 : 30),
    levelsMax: dice.int(1, big ? 12 : 6),
    childrenMax: dice.int(1, 8),
    runningMax: dice.int(1, 6),
    childrenLiveMax: dice.int(1, 5),
    forksPerMinute: dice.int(2, 30),
    wordy: dice.chance(0.3),
    tokensPerByte: dice.between(0.2, 1),
    tight: dice.chance(0.5),
    spawnsPerMinute: dice.chance(0.3) ? dice.int(2, 60) : undefined,
    sessionsMax: dice.chance(0.6) ? dice.int(1, 6) : undefined,
    requestsPerMinute: dice.chance(0.4) ? dice.int(2, 30) : undefined,
  };
}

function mapped<Key extends string, Value>(
  of: Readonly<Record<Key, Value>>,
  map: (name: Key, value: Value) => number,
): Record<Key, number> {
  const entries = (Object.entries(of) as [Key, Value][]).map(([name, value]) => [name, map(name, value)]);
  return Object.fromEntries(entries) as Record<Key, number>;
}
