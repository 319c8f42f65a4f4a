/** The `banyan` command in this process, with streams that a test reads. */
import { systemClock } from "../../src/base/clock.ts";
import { type Io, wantsColour } from "../../src/cli/io.ts";
import { runProgram } from "../../src/cli/program.ts";

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly interrupted?: AbortSignal;
  /** Told of every piece that is written to `out`. */
  readonly onOut?: (text: string) => void;
}

/** Runs one command line to its end. */
export async function banyan(words: readonly string[], surroundings: Surroundings = {}): Promise<Ran> {
  const { environment = {}, folder = "/", isTTY = false, columns, rows, interrupted, onOut } = surroundings;
  const texts = { out: "", err: "" };
  const output = (name: keyof typeof texts) => ({
    isTTY,
    columns,
    rows,
    write(chunk: string | Uint8Array) {
      const text = typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      texts[name] += text;
      if (name === "out") onOut?.(text);
      return true;
    },
    once: () => undefined,
    on: () => undefined,
  });
  const io: Io = {
    out: output("out"),
    err: output("err"),
    environment,
    folder,
    clock: systemClock(),
    interrupted: interrupted ?? new AbortController().signal,
    colour: wantsColour({ isTTY }, environment),
    exitCode: 0,
  };
  const exit = await runProgram(words, io);
  return { exit, ...texts };
}
