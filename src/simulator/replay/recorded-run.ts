/** Recorded runs: one JSON object a line, gzipped or not. docs of the format: the README beside the recordings. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { BanyanError } from "../../base/errors.ts";

const recordedMessage = z.looseObject({
  role: z.enum(["user", "assistant", "tool"]),
  content: z.string(),
  tool_calls: z.array(z.object({ id: z.string(), name: z.string(), input: z.record(z.string(), z.json()) })).optional(),
  tool_call_id: z.string().optional(),
  /** ISO 8601, or seconds since the epoch. */
  ts: z.union([z.string(), z.number()]).optional(),
  /** Who spoke, in a chat of several agents. */
  agent: z.string().optional(),
  reasoning: z.string().optional(),
});

const tokens = z.number().nonnegative();

const recordedRun = z.looseObject({
  id: z.string().min(1),
  system: z.string().optional(),
  tools: z.array(z.string()),
  messages: z.array(recordedMessage),
  /** One entry for each model call; `in` excludes the cache's tokens where those are given. */
  usage: z
    .looseObject({
      calls: z.array(
        z.looseObject({ in: tokens, out: tokens, cache_read: tokens.optional(), cache_write: tokens.optional() }),
      ),
    })
    .optional(),
});

export type RecordedMessage = z.infer<typeof recordedMessage>;
export type RecordedRun = z.infer<typeof recordedRun>;

/** Reads a `.jsonl` or `.jsonl.gz` file run by run. @throws INPUT_INVALID for a line that is no recorded run, with its number */
export async function* readRuns(path: string): AsyncGenerator<RecordedRun> {
  const file = createReadStream(path);
  const input = path.endsWith(".gz") ? file.pipe(createGunzip()) : file;
  file.on("error", (error) => input.destroy(error));
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() !== "") yield parseRun(line, `${path}, line ${number}`);
  }
}

function parseRun(line: string, where: string): RecordedRun {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new BanyanError("INPUT_INVALID", `${where}: not JSON`, { cause });
  }
  const parsed = recordedRun.safeParse(value);
  if (!parsed.success) throw new BanyanError("INPUT_INVALID", `${where}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
