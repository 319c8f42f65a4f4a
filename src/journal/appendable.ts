/** What every journal refuses before it looks at what it holds, so that all of them refuse the same. */
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Append } from "./journal.ts";

/**
 * Bytes of UTF-8 of the appends together.
 * @throws INPUT_INVALID for what could not be kept as it is, CONTENT_TOO_LARGE
 */
export function bytesOf(appends: readonly Append[]): number {
  if (appends.length === 0) throw new BanyanError("INPUT_INVALID", "an append names at least one agent");
  let bytes = 0;
  for (const append of appends) bytes += bytesOfOne(append);
  if (bytes > LIMITS.commitBytesMax) {
    throw new BanyanError("CONTENT_TOO_LARGE", `an append of ${bytes} bytes, over ${LIMITS.commitBytesMax}`);
  }
  return bytes;
}

function bytesOfOne({ agent, records, summary }: Append): number {
  if (records.length === 0) throw invalid(agent, "has no record");
  let bytes = summary === undefined ? 0 : bytesOfText(agent, summary);
  for (const { time, type, body } of records) {
    if (!Number.isSafeInteger(time)) throw invalid(agent, `has the time ${time}, no whole number of milliseconds`);
    bytes += bytesOfText(agent, type) + bytesOfText(agent, body);
  }
  return bytes;
}

/** A store keeps text as UTF-8, which has no place for half a character: it would come back as another. */
function bytesOfText(agent: string, text: string): number {
  if (!text.isWellFormed()) throw invalid(agent, "has a text with a lone surrogate");
  const bytes = Buffer.byteLength(text);
  if (bytes <= LIMITS.recordBytesMax) return bytes;
  throw new BanyanError("CONTENT_TOO_LARGE", `a record of ${bytes} bytes, over ${LIMITS.recordBytesMax}`, { agent });
}

function invalid(agent: string, what: string): BanyanError {
  return new BanyanError("INPUT_INVALID", `an append to ${agent} ${what}`, { agent });
}
