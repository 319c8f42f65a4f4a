/**
 * Recorded runs of agents: one JSON object a line, gzipped or not. The shape is that of public collections of agent
 * transcripts; what a message has besides role, text and calls (a time, a speaker) is kept as it is.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { json } from "../agent/content.ts";
import { BanyanError } from "../base/errors.ts";

const recordedCall = z.strictObject({ id: z.string().min(1), name: z.string().min(1), input: json });

export const recordedMessage = z
  .object({
    role: z.enum(["user", "assistant", "tool"]),
    content: z.string(),
    tool_calls: z.array(recordedCall).optional(),
    tool_call_id: z.string().optional(),
    reasoning: z.string().optional(),
  })
  .catchall(json);
export type RecordedMessage = z.infer<typeof recordedMessage>;

const tokens = z.number().nonnegative();
const recordedUsage = z.object({
  in: tokens,
  out: tokens,
  cache_read: tokens.optional(),
  cache_write: tokens.optional(),
  model: z.string().nullable().optional(),
});
export type RecordedUsage = z.infer<typeof recordedUsage>;

export const recordedRun = z.object({
  id: z.string().min(1),
  system: z.string().nullable().optional(),
  messages: z.array(recordedMessage),
  usage: z
    .object({ calls: z.array(recordedUsage) })
    .nullable()
    .optional(),
});
export type RecordedRun = z.infer<typeof recordedRun>;

/**
 * The runs of a file, one at a time. Lines that are no run of messages (the traces without text) are refused.
 * @throws INPUT_INVALID naming the line
 */
export async function* readRuns(path: string): AsyncGenerator<RecordedRun> {
  const bytes = createReadStream(path);
  const text = path.endsWith(".gz") ? bytes.pipe(createGunzip()) : bytes;
  // A failed read must reach whoever reads lines from the unzipped stream.
  bytes.on("error", (error) => text.destroy(error));
  let line = 0;
  for await (const each of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (each.trim() === "") continue;
    yield parseRun(each, `${path}:${line}`);
  }
}

function parseRun(text: string, where: string): RecordedRun {
  try {
    return recordedRun.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new BanyanError("INPUT_INVALID", `${where} is no recorded run: ${why}`, { cause });
  }
}
