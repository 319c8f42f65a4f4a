/** What names and labels look like, and how long reasons may be. */
import { z } from "zod";
import { LIMITS } from "../base/limits.ts";

/** Names of agents and artifacts: no separators of paths, no control characters. */
export const NAME_SYNTAX = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Characters of a reason that someone gives, and of a label: a message's or a call's id, a tool's name, a checkpoint's. */
export const REASON_LENGTH_MAX = 4_096;
export const LABEL_LENGTH_MAX = 256;

export const name = z.string().min(1).max(LIMITS.nameLengthMax).regex(NAME_SYNTAX);

export const label = z.string().min(1).max(LABEL_LENGTH_MAX);
