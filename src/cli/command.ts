/** What every command has: `--data`, `--json`, and errors that end it with the exit code of the registry. */
import { type Command, CommanderError, InvalidArgumentError } from "commander";
import { asBanyanError, BanyanError, ERRORS } from "../base/errors.ts";
import { type Client, connect } from "../client.ts";
import { loadSettings } from "../runtime/settings.ts";
import type { Io } from "./io.ts";
import { oneLine } from "./terminal.ts";

/** Adds a command to the program. One file of `commands/` exports one. */
export type Register = (program: Command, io: Io) => void;

export interface CommonOptions {
  readonly data?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** A command with the options that all have. `json` says what it prints for programs. */
export function dataCommand(program: Command, nameAndArguments: string, says: string, json = "for programs"): Command {
  return program
    .command(nameAndArguments)
    .description(says)
    .option(
      "--data <dir>",
      "folder of the data (default: BANYAN_DATA_DIR, then dataDir of banyan.json, then ./.banyan)",
    )
    .option("--config <file>", "settings file (default: banyan.json in the working folder)")
    .option("--json", `print JSON: ${json}`);
}

/** The data folder that the options, the environment or the settings file name. @throws CONFIG_INVALID */
export async function dataFolder(io: Io, { data, config }: CommonOptions): Promise<string> {
  const { settings } = await loadSettings({
    options: { dataDir: data },
    environment: io.environment,
    folder: io.folder,
    file: config,
  });
  return settings.dataDir;
}

/**
 * Runs `work` with a client of the data, and closes it: of the server that BANYAN_URL names, with BANYAN_TOKEN, unless `--data` says
 * which folder.
 * @throws DATA_NOT_FOUND, INPUT_INVALID
 */
export async function withClient<T>(io: Io, options: CommonOptions, work: (client: Client) => Promise<T>): Promise<T> {
  const { BANYAN_URL: url, BANYAN_TOKEN: token = "" } = io.environment;
  const isFar = url !== undefined && url !== "" && options.data === undefined;
  await using client = await connect(isFar ? { url, token } : await dataFolder(io, options), { clock: io.clock });
  return await work(client);
}

/** Tells of an error as people or programs read it, and returns the exit code. */
export function reportError({ err }: Io, error: unknown, { json }: { json: boolean }): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const known = error instanceof CommanderError ? misuse(error) : asBanyanError(error);
  if (json) err.write(`${JSON.stringify({ error: known.toJSON() })}\n`);
  else {
    const agent = known.agent === undefined || known.message.includes(known.agent) ? "" : ` (agent ${known.agent})`;
    err.write(`error ${known.code}: ${oneLine(known.message)}${agent}\n${known.remedy}\n`);
  }
  return ERRORS[known.code].exit;
}

/** What commander found wrong with the arguments; its suggestion comes along. */
function misuse({ message }: CommanderError): BanyanError {
  return new BanyanError("INPUT_INVALID", message.replace(/^error: /, "").replace(/\n/g, " "));
}

/** For options that are whole numbers. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError("not a whole number");
  return value;
}

/** For options that are an amount of money. */
export function amount(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError("not an amount");
  return value;
}

/** For options that may be an event's sequence or a checkpoint's name. */
export function restorePoint(text: string): number | string {
  return /^\d+$/.test(text) ? wholeNumber(text) : text;
}

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A time such as 36h or 14d, in milliseconds. */
export function timeSpan(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError("not a time such as 90m, 36h, 14d or 8w");
  return Number(count) * (UNITS_MS[unit] ?? 0);
}
