/** Builds shim.c, runs a program of ours behind it, and reads what it told. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const WHAT = ["", "write", "truncate", "sync", "create", "rename", "unlink", "mkdir"] as const;
const HEAD_BYTES = 15;

/** A change that was made; `path` is whole, `data` the bytes written, or the new name. */
export interface Change {
  readonly what: Exclude<(typeof WHAT)[number], "">;
  readonly path: string;
  /** Of a write, or the new length of a file that is cut. */
  readonly offset: number;
  readonly data: Buffer;
}

/** @throws when there is no compiler */
export function buildShim(): string {
  const folder = mkdtempSync(join(tmpdir(), "banyan-shim-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const library = join(folder, "shim.so");
  const source = join(import.meta.dirname, "shim.c");
  try {
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source, "-ldl", "-lpthread"], { stdio: "pipe" });
  } catch (cause) {
    throw new Error("the disk faults need a C compiler: install gcc and libc6-dev", { cause });
  }
  return library;
}

export interface Behind {
  readonly shim: string;
  readonly program: string;
  readonly words?: readonly string[];
  /** Changes below it are told of, and may fail. */
  readonly folder: string;
  readonly trace?: string;
  readonly control?: string;
}

/** What the program printed. @throws when it did not end with 0, with what it said */
export async function runBehind({ shim, program, words = [], folder, trace, control }: Behind): Promise<string> {
  const env = {
    ...process.env,
    LD_PRELOAD: shim,
    // Calls through a ring would not pass through the shim.
    UV_USE_IO_URING: "0",
    SHIM_FOLDER: folder,
    ...(trace && { SHIM_TRACE: trace }),
    ...(control && { SHIM_CONTROL: control }),
  };
  const path = join(import.meta.dirname, program);
  const child = spawn(process.execPath, [path, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    err += text;
  });
  const [code, signal] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}:\n${err}\n${out}`);
  return out;
}

export function changesIn(trace: Buffer): Change[] {
  const changes: Change[] = [];
  for (let at = 0; at < trace.length; ) {
    const pathAt = at + HEAD_BYTES;
    const dataAt = pathAt + trace.readUInt16LE(at + 1);
    const end = dataAt + trace.readUInt32LE(at + 3);
    const what = WHAT[trace.readUInt8(at)];
    if (!what) throw new Error(`the trace is garbled at ${at}`);
    changes.push({
      what,
      path: trace.toString("utf8", pathAt, dataAt),
      offset: Number(trace.readBigUInt64LE(at + 7)),
      data: trace.subarray(dataAt, end),
    });
    at = end;
  }
  return changes;
}
