/** How a background process is supervised: what it may use, how its health is looked at, and when it is started again. */
import { z } from "zod";
import { LIMITS } from "../base/limits.ts";

const ms = z.int().min(1).max(LIMITS.processMsMax);
const argument = z
  .string()
  .max(LIMITS.commandArgumentLengthMax)
  .refine((text) => !text.includes("\0"), "an argument has no NUL");

/** A program and its arguments; no shell reads them. Bounded, because it stands in a record. */
export const processArgv = z
  .array(argument)
  .min(1)
  .max(LIMITS.commandArgumentsMax)
  .refine(
    (words) => words.reduce((sum, word) => sum + word.length, 0) <= LIMITS.commandArgumentLengthMax,
    `the arguments have at most ${LIMITS.commandArgumentLengthMax} characters together`,
  );

/** How often it is asked, how long an answer may take, how many failures in a row are a hang, and what is forgiven at first. */
const asked = {
  everyMs: z.int().min(100).max(LIMITS.processMsMax).default(1_000),
  timeoutMs: ms.default(1_000),
  failuresMax: z.int().min(1).max(1_000).default(3),
  /** Until its first good answer, failures count only after so long. */
  graceMs: z.int().min(0).max(LIMITS.processMsMax).default(10_000),
};
const port = z.int().min(1).max(65_535);

export const probe = z.discriminatedUnion("kind", [
  /** It writes a line that begins with `line` at least so often. Such lines are no output. */
  z.strictObject({
    kind: z.literal("heartbeat"),
    line: z.string().min(1).max(200),
    limitMs: ms.min(LIMITS.heartbeatMsMax).default(LIMITS.heartbeatMsMax),
    graceMs: asked.graceMs,
  }),
  /** It writes something at least so often. */
  z.strictObject({ kind: z.literal("silence"), limitMs: ms }),
  /** Something listens on the port of this machine. */
  z.strictObject({ kind: z.literal("tcp"), port, ...asked }),
  /** The port of this machine answers GET with a status below 400. */
  z.strictObject({ kind: z.literal("http"), port, path: z.string().max(2_000).startsWith("/").default("/"), ...asked }),
  /** The program, run in the same folder, exits with 0. */
  z.strictObject({ kind: z.literal("command"), argv: processArgv, ...asked }),
]);

export const processPolicy = z.strictObject({
  /** `onFailure`: unless it exits with 0. A process that was stopped is never started again. */
  restart: z.enum(["never", "onFailure", "always"]),
  /** More restarts than so many within so long, and it is given up. */
  restartsMax: z.int().min(1).max(1_000),
  withinMs: ms,
  /** Longest time of one run; none when absent. */
  timeMsMax: ms.optional(),
  /** Resident memory of the process group together. */
  memoryBytesMax: z.int().positive(),
  /** Output of one run. */
  outputBytesMax: z.int().positive().max(LIMITS.processOutputBytesMax),
  probes: z.array(probe).max(LIMITS.processProbesMax),
});
export type ProcessPolicy = z.infer<typeof processPolicy>;

/** How a run ended: by itself, by a limit or a probe, with the host, because it was stopped, or before it began. */
export const PROCESS_ENDS = [
  "exited",
  "signalled",
  "timedOut",
  "hung",
  "overMemory",
  "overOutput",
  "lost",
  "stopped",
  "notStarted",
] as const;
