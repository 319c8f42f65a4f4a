/**
 * What went wrong and is nobody's answer: a snapshot that cannot be used, files that could not be kept, an agent whose loop a fault
 * ended. It is the operator's to see, and no part of any agent's past, so it is no event of a journal: `faults.jsonl` in the data.
 *
 * Y1  Noting a fault never fails and never waits: what the disk does not take is kept in memory.
 * Y2  It is bounded: a full file is set aside once, and of a storm of faults some are counted alone.
 */
import { appendFileSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { asBanyanError, type ErrorCode } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";

export interface Fault {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly agent: AgentId;
  readonly code: ErrorCode;
  readonly message: string;
  /** Faults since the one before that were counted alone. */
  readonly left?: number | undefined;
}

export interface FaultLog {
  note(agent: AgentId, error: unknown): void;
  /** Oldest first. */
  read(): Fault[];
}

export interface FaultLogOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly redact: (text: string) => string;
}

const FILE = "faults.jsonl";
const OLD_FILE = "faults.old.jsonl";
const MESSAGE_LENGTH_MAX = 1_000;

export function openFaultLog(options: FaultLogOptions): FaultLog {
  return new FileFaultLog(options);
}

class FileFaultLog implements FaultLog {
  readonly #options: FaultLogOptions;
  /** Those that the disk did not take. */
  readonly #unwritten: Fault[] = [];
  #second = 0;
  #noted = 0;
  #left = 0;

  constructor(options: FaultLogOptions) {
    this.#options = options;
  }

  note(agent: AgentId, error: unknown): void {
    const { clock, redact } = this.#options;
    const time = clock.now();
    const second = Math.floor(time / 1_000);
    if (second !== this.#second) this.#noted = 0;
    this.#second = second;
    this.#noted += 1;
    if (this.#noted > LIMITS.faultsPerSecondMax) {
      this.#left += 1;
      return;
    }
    const { code, message } = asBanyanError(error);
    const shown = redact(message).slice(0, MESSAGE_LENGTH_MAX).toWellFormed();
    const left = this.#left > 0 ? { left: this.#left } : {};
    this.#left = 0;
    this.#keep({ time, agent, code, message: shown, ...left });
  }

  read(): Fault[] {
    const { folder } = this.#options;
    return [...readFaults(join(folder, OLD_FILE)), ...readFaults(join(folder, FILE)), ...this.#unwritten];
  }

  #keep(fault: Fault): void {
    const path = join(this.#options.folder, FILE);
    try {
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size > LIMITS.faultLogBytesMax) renameSync(path, join(this.#options.folder, OLD_FILE));
      appendFileSync(path, `${JSON.stringify(fault)}\n`, { mode: 0o600 });
    } catch {
      this.#unwritten.push(fault);
      if (this.#unwritten.length > LIMITS.faultsPerSecondMax) this.#unwritten.shift();
    }
  }
}

/** A line that a crash cut short is left out. */
function readFaults(path: string): Fault[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      return line === "" ? [] : [JSON.parse(line) as Fault];
    } catch {
      return [];
    }
  });
}
