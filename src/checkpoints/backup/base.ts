/**
 * The base of a backup: a list of parts that stand for all segments up to one. A part is several segments in one piece, or a segment as it
 * is. It ends where a segment ended, so that the next one follows it, and whoever restores may end there.
 */
import { hash } from "node:crypto";
import { z } from "zod";
import { BanyanError } from "../../base/errors.ts";
import { isId } from "../../base/ids.ts";

const digest = z.string().regex(/^[0-9a-f]{64}$/);

const base = z.strictObject({
  format: z.literal(1),
  /** Of this try alone: of two who make the same base at once, each knows its own. */
  nonce: z.string().refine(isId),
  parts: z
    .array(
      z.strictObject({
        /** Of the object. */
        name: z.string().regex(/^(?:journal\/\d{6}\/\d{12}|base\/\d{6}\/[0-9a-f]{64})\.seg$/),
        /** The claim, and the number, of the newest segment that it stands for. */
        owner: z.int().positive(),
        number: z.int().positive(),
        bytes: z.int().positive(),
        /** Of its text. */
        digest,
        /** Of the text of that newest segment. */
        closes: digest,
      }),
    )
    .min(1),
});
export type Base = z.infer<typeof base>;

export function writeBase(content: Base): { bytes: Buffer; digest: string } {
  const bytes = Buffer.from(JSON.stringify(content));
  return { bytes, digest: hash("sha256", bytes) };
}

/** @throws BLOB_DAMAGED when it is not the one of the digest */
export function readBase(bytes: Uint8Array, expected: string): Base {
  if (hash("sha256", bytes) !== expected) throw new BanyanError("BLOB_DAMAGED", "the base of the backup was changed");
  return base.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
}
