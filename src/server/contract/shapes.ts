/** Shapes that several operations share. */
import { z } from "zod";
import { MEDIA_TYPE_SYNTAX, NAME_SYNTAX } from "../../agent/events.ts";
import { isId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";

export const id = z.string().refine(isId, "not an id");
export const usd = z.number().nonnegative();
export const count = z.int().nonnegative();
/** Milliseconds since the epoch. */
export const time = z.int().nonnegative();
export const seq = z.int().positive();
/** A place in the order of all events of the data. */
export const position = z.int().nonnegative();
export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, "not a digest");
export const name = z
  .string()
  .min(1)
  .max(LIMITS.nameLengthMax)
  .regex(NAME_SYNTAX, "letters, digits, dots, dashes and underscores");
export const mediaType = z.string().max(256).regex(MEDIA_TYPE_SYNTAX, "a media type such as text/csv");

/**
 * Which agent is meant: its id, six or more characters with which only its id begins, its path of names (`/lead/worker`), or
 * the name of a root.
 */
export const selector = z
  .string()
  .min(1)
  .max(LIMITS.pathLengthMax)
  .describe(
    "An agent: its id, 6 or more characters that only its id begins with, a path of names such as /lead/worker, or a root's name.",
  );
