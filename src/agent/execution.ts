/** What executes an agent, what it may do, and what it may use: given with its first event, and to its children. */
import { z } from "zod";
import { LIMITS } from "../base/limits.ts";
import { label } from "./labels.ts";
import { price } from "./usage.ts";

const usd = z.number().nonnegative();
const level = z.int().min(0).max(LIMITS.levelsMax);

/** Bounds on what a subtree may use; each one binds every agent below, those not yet born included. */
export const budget = z.strictObject({
  costUsd: usd.optional(),
  agents: z.int().positive().optional(),
  levels: level.optional(),
});
export type Budget = z.infer<typeof budget>;

/** What an agent may do; a child never has more than its parent. */
export const rights = z.strictObject({
  /** Folder that its file tools see, absolute; absent: none. */
  root: z.string().optional(),
  /** May run commands. */
  commands: z.boolean(),
  /** Its commands and processes run in a sandbox: with a network or not, and with these folders to read beside its own. */
  sandbox: z.strictObject({ network: z.boolean(), readable: z.array(z.string().startsWith("/")).max(64) }).optional(),
  /** May spawn children. */
  spawn: z.boolean(),
});
export type Rights = z.infer<typeof rights>;

/** What executes the agent's turns. */
export const execution = z.strictObject({
  driver: z.enum(["model", "claude"]),
  /** As the provider names itself and its model, such as `anthropic.messages` and `claude-sonnet-4-5`. */
  provider: z.string().min(1),
  model: z.string().min(1),
  outputTokensMax: z.int().positive(),
  temperature: z.number().optional(),
  /** `claude`: the tools of Claude Code that it has, beside those that Banyan runs. */
  ownTools: z.array(label).optional(),
  /** `claude`: it was asked for with Claude Code's own Agent tool, as an agent of this type. */
  subagent: label.optional(),
  /** Tools of either kind whose every call a person must allow before it runs. */
  askFirst: z.array(label).optional(),
  /** `claude`: a person is asked for what Claude Code's own rules do not let pass; otherwise it is refused. */
  asksBeyond: z.boolean().optional(),
  /** Extra headers of every call, such as a tenant's tag. Never a secret: they are journaled. */
  headers: z.record(z.string(), z.string()).optional(),
  /** What stands in its folder is kept whenever its tools have run, so that a rewind can put it back. */
  keepFiles: z.literal(true).optional(),
  /** US dollars a million tokens; absent where it is not known, and then nothing can be budgeted. */
  price: price.optional(),
});
export type Execution = z.infer<typeof execution>;
