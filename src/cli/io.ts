/** What a command is given of the world: streams, environment, clock, Ctrl-C. Tests give their own. */
import { type Clock, systemClock } from "../base/clock.ts";

export interface Output {
  write(chunk: string | Uint8Array): boolean;
  once(event: "drain" | "close", listener: () => void): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export interface Io {
  readonly out: Output;
  readonly err: Output;
  /** What is typed; absent where nobody types. */
  readonly input?: NodeJS.ReadStream | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The working folder. */
  readonly folder: string;
  readonly clock: Clock;
  /** Aborted by Ctrl-C or a request to end. */
  readonly interrupted: AbortSignal;
  /** Colour is welcome on `out`. */
  readonly colour: boolean;
  /** What the process will exit with. */
  exitCode: number;
}

/** Where a line may be longer than any terminal: text for a file or a pipe. */
const COLUMNS_UNBOUND = 400;

/** Columns to fill on `out`. */
export function columnsOf({ out, environment }: Io): number {
  return (out.columns ?? Number(environment.COLUMNS)) || (out.isTTY ? 80 : COLUMNS_UNBOUND);
}

/** Writes a text and a line end to `out`. */
export function print(io: Io, text: string): Promise<void> {
  return printBytes(io, `${text}\n`);
}

/** Writes to `out`, and waits when it is full, so that a long answer to a slow reader takes little memory. */
export function printBytes({ out }: Io, chunk: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (out.write(chunk)) return resolve();
    const done = () => resolve();
    out.once("drain", done);
    out.once("close", done);
  });
}

export function printJson(io: Io, value: unknown): Promise<void> {
  return print(io, JSON.stringify(value));
}

/** A remark beside the answer: never mixed into what a program reads. */
export function remark({ err }: Io, text: string): void {
  err.write(`${text}\n`);
}

/** NO_COLOR (no-color.org) and dumb terminals are honoured; FORCE_COLOR is for what is piped to a pager. */
export function wantsColour(out: Pick<Output, "isTTY">, environment: Io["environment"]): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR && environment.FORCE_COLOR !== "0") return true;
  return out.isTTY === true && environment.TERM !== "dumb";
}

/** This process. The first Ctrl-C asks the command to end; a second one does not ask. */
export function processIo(): Io {
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      interrupt.abort();
      process.once(signal, () => process.exit(SIGNAL_EXIT));
    });
  }
  return {
    out: process.stdout,
    err: process.stderr,
    input: process.stdin,
    environment: process.env,
    folder: process.cwd(),
    clock: systemClock(),
    interrupted: interrupt.signal,
    colour: wantsColour(process.stdout, process.env),
    exitCode: 0,
  };
}

/** 128 and the number of SIGINT, as shells have it. */
const SIGNAL_EXIT = 130;
