/**
 * A mark that stays with whatever a program starts: the hard limit on resident memory, `ulimit -m`. Linux keeps it, hands it to every child
 * and through every `exec`, and has not applied it since 2.4.30 (getrlimit(2)). A new session, a second fork and a clean environment
 * leave it as it is. Raising it takes rights that programs seldom have; lowering it takes someone who means to. It is set by the shell
 * that becomes the program anyway, so it costs no process and no file.
 *
 * N1  The number is beyond any memory (over 4 EiB), so that a program which looks at it finds itself free.
 * N2  It says which data, which host of it and which program: each is a range of numbers. Programs of one host are counted, so that no
 *     two of its latest 262,144 have the same one.
 * N3  Where it cannot be set, because there is a lower limit already, programs run without: they are found by their groups and environments.
 */
import { execFile } from "node:child_process";
import { hash } from "node:crypto";

/** In KiB, both ends included. */
export interface LimitRange {
  readonly from: number;
  readonly to: number;
}

const DATA_BITS = 24;
const HOST_BITS = 10;
const PROGRAM_BITS = 18;
/** N1. Below it are as many bits as a number holds exactly. */
const LEAST = 2 ** (DATA_BITS + HOST_BITS + PROGRAM_BITS);

export const BYTES_OF_KIB = 1_024n;

export class LimitMarks {
  /** What any host of the data started. */
  readonly data: LimitRange;
  /** What this host started. */
  readonly host: LimitRange;
  #started = 0;

  constructor(marks: { readonly data: string; readonly host: string }) {
    const data = LEAST + bitsOf(marks.data, DATA_BITS) * 2 ** (HOST_BITS + PROGRAM_BITS);
    const host = data + bitsOf(marks.host, HOST_BITS) * 2 ** PROGRAM_BITS;
    this.data = { from: data, to: data + 2 ** (HOST_BITS + PROGRAM_BITS) - 1 };
    this.host = { from: host, to: host + 2 ** PROGRAM_BITS - 1 };
  }

  /** The number of the next program. */
  next(): number {
    const number = this.host.from + this.#started;
    this.#started = (this.#started + 1) % 2 ** PROGRAM_BITS;
    return number;
  }
}

/** Of a shell's script: sets the limit that is the first argument, and takes that away. N3: a failure is nobody's. */
export const LIMITED = 'ulimit -m "$1" 2>/dev/null; shift; ';

/** Whether it can be set here, and what there is instead. */
export async function tryLimit(): Promise<{ holds: boolean; limit: string }> {
  const script = `${LIMITED}ulimit -m`;
  const said = await new Promise<string>((resolve) => {
    execFile("/bin/sh", ["-c", script, "banyan-limit", String(LEAST)], { timeout: 10_000 }, (_, stdout) => {
      resolve(stdout.trim());
    });
  });
  return { holds: process.platform === "linux" && said === String(LEAST), limit: said };
}

function bitsOf(text: string, bits: number): number {
  return Number.parseInt(hash("sha256", text).slice(0, 12), 16) % 2 ** bits;
}
