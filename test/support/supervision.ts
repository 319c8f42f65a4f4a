/** A supervisor over programs in memory, in time that the test moves, and what it journaled. */
import type { ProcessPolicy } from "../../src/agent/process-policy.ts";
import { type Clock, ManualClock, systemClock } from "../../src/base/clock.ts";
import type { BanyanError } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { createRedactor } from "../../src/base/redact.ts";
import type { BlobInfo } from "../../src/blobs/blobs.ts";
import { MemoryBlobs } from "../../src/blobs/memory/memory-blobs.ts";
import type { RunEnd } from "../../src/processes/run.ts";
import type { ProcessLog, ProcessSpec } from "../../src/processes/supervised.ts";
import { Supervisor } from "../../src/processes/supervisor.ts";
import { WatchedLaunch } from "../../src/processes/watched-launch.ts";
import { TestLaunch } from "./launches.ts";

/** Everything that follows by itself has happened. */
export const settle = () => new Promise<void>((resolve) => systemClock().timer(0, resolve));

export class Supervision {
  readonly agent = "agent";
  readonly clock = new ManualClock();
  readonly launch = new TestLaunch();
  readonly blobs = new MemoryBlobs(new Map());
  /** What was journaled. */
  readonly journal: string[] = [];
  readonly ends: RunEnd[] = [];
  readonly supervisor: Supervisor;
  store = (bytes: AsyncIterable<Uint8Array>): Promise<BlobInfo> => this.blobs.put(bytes);
  /** What the journal answers from now on. */
  refusal: BanyanError | undefined;
  /** The agent has ended: nothing starts again. */
  isOver = false;
  /** By how much time went on without this process. */
  stoodStillMs = 0;

  constructor() {
    const skewed: Clock = {
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic() + this.stoodStillMs,
      timer: (delayMs, fire) => this.clock.timer(delayMs, fire),
    };
    this.supervisor = new Supervisor({
      launch: new WatchedLaunch(this.launch, skewed),
      clock: skewed,
      log: this.#log(),
      redact: createRedactor(),
      store: (bytes) => this.store(bytes),
    });
  }

  specOf(name: string, policy: Partial<ProcessPolicy> = {}): ProcessSpec {
    return {
      ...{ id: `id-${name}`, agent: this.agent, name, argv: ["serve"], cwd: ".", callId: "c" },
      rights: { commands: true, spawn: false },
      policy: {
        ...{ restart: "never", restartsMax: 2, withinMs: 60_000, probes: [] },
        ...{ memoryBytesMax: 1_000, outputBytesMax: 100, ...policy },
      },
    };
  }

  async start(name = "server", policy: Partial<ProcessPolicy> = {}) {
    const process = await this.supervisor.start(this.specOf(name, policy));
    return { process, program: this.launch.last };
  }

  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= LIMITS.superviseMs) {
      this.clock.advance(Math.min(left, LIMITS.superviseMs));
      await settle();
    }
  }

  #log(): ProcessLog {
    const note = async (text: string) => {
      if (this.refusal) throw this.refusal;
      this.journal.push(text);
    };
    return {
      started: ({ name }, { pid }) => note(`started ${name} ${pid - 1_000}`),
      restarted: ({ name }, { pid }) => note(`restarted ${name} ${pid - 1_000}`),
      ended: async ({ name }, end, { restartTime, gaveUp }) => {
        const again = restartTime !== undefined && !this.isOver;
        await note(`${end.how} ${name}${again ? " again" : ""}${gaveUp ? " given up" : ""}`);
        this.ends.push(end);
        return again;
      },
    };
  }
}
