/**
 * Claude Code's own Agent tool. The model sees it as Claude Code offers it; the agent that it asks for is a node like any other, with a
 * Claude Code, a journal, a budget and holds of its own. Claude Code itself is let through to the call when that node has ended:
 * its subagent's only model call is then answered here, with the node's report, and never leaves this machine.
 */
import { z } from "zod";
import type { Json } from "../../agent/content.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Subagent } from "../driver.ts";

export const AGENT_TOOL = "Agent";

/** Claude Code's own types that are offered, and whether they may change files. Others exist (`fork`): they are refused. */
const TYPES: Readonly<Record<string, { readonly edits: boolean; readonly says: string }>> = {
  "general-purpose": { edits: true, says: "Do all of it, and nothing beside it." },
  claude: { edits: true, says: "Do all of it, and nothing beside it." },
  Explore: { edits: false, says: "You search and read, and change nothing. Name files with their lines." },
  Plan: { edits: false, says: "You make a plan of steps and name the files that matter. You change nothing." },
};

const EDITING: readonly string[] = ["Edit", "Write", "NotebookEdit", AGENT_TOOL];

/** Only what is used; a choice of model or effort is the operator's, and is passed over. */
const asked = z.looseObject({
  description: z.string().max(LIMITS.pathLengthMax).default(""),
  prompt: z.string().min(1).max(LIMITS.contentBytesMax),
  subagent_type: z.string().default("general-purpose"),
  name: z.string().max(LIMITS.pathLengthMax).optional(),
  isolation: z.string().optional(),
});

/** The agent that a call asks for. @throws INPUT_INVALID */
export function subagentOf(input: Json, ownTools: readonly string[]): Subagent {
  const parsed = asked.safeParse(input);
  if (!parsed.success) throw new BanyanError("INPUT_INVALID", z.prettifyError(parsed.error));
  const { description, prompt, subagent_type: type, name, isolation } = parsed.data;
  const known = TYPES[type];
  if (!known)
    throw new BanyanError(
      "INPUT_INVALID",
      `there is no agent type ${type}; there are ${Object.keys(TYPES).join(", ")}`,
    );
  if (isolation !== undefined)
    throw new BanyanError("INPUT_INVALID", "agents work in your folder: isolation cannot be had");
  return {
    type,
    name: nameOf(name ?? description, type),
    task: prompt,
    instructions: `You work for another agent, which reads nothing but your last message: make it a report that says all it needs. ${known.says}`,
    ownTools: ownTools.filter((tool) => known.edits || !EDITING.includes(tool)),
  };
}

/** A name out of a few words. */
export function nameOf(words: string, otherwise: string): string {
  const name = words
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .slice(0, NAME_LENGTH_MAX)
    .replaceAll(/^-+|-+$/g, "");
  return name === "" ? otherwise : name;
}

const NAME_LENGTH_MAX = 48;

/** What Claude Code is to be asked for instead: of this type it says the report alone, without an id or a time. */
export function standInFor(callId: string): Record<string, unknown> {
  return { description: "report", prompt: promptFor(callId), subagent_type: "Explore", run_in_background: false };
}

/** True for the model call of the subagent that stands in for a call. */
export function isFor(body: string, callId: string): boolean {
  return body.includes(JSON.stringify(promptFor(callId)));
}

function promptFor(callId: string): string {
  return `This stands for the report of ${callId}, and is never sent.`;
}
