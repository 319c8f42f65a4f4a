/**
 * The mind that surveys a source tree with real tool calls. It keeps nothing between requests: the plan is run over the
 * conversation from its start, and what it lacks is asked for next. It looks at the task and at the tools' answers,
 * never at the instructions.
 */
import { blocksOf, type MessagesRequest } from "../messages-api.ts";
import type { Mind, Reply, ReplyBlock } from "../mind.ts";
import { countTokens } from "../tokens.ts";
import { type Call, CallLog } from "./calls.ts";
import { folderOf } from "./children.ts";
import { surveyFolder } from "./plan.ts";

/** Calls of one turn, and the share of its output tokens that they may take. */
const CALLS_PER_TURN = 48;
const TOKENS_SHARE = 0.9;

export function surveyMind(): Mind {
  return { reply: nextWords };
}

function nextWords(request: MessagesRequest): Reply {
  const path = taskOf(request);
  if (path === undefined) return said('I survey source trees: ask me to "survey this source tree".');
  const log = new CallLog(request);
  const plan = surveyFolder({ path, isRoot: path === ".", tokensMax: request.max_tokens });
  for (let step = plan.next(); ; ) {
    if (step.done) return said(step.value);
    const outcomes = step.value.map((call) => log.outcome(call));
    const missing = step.value.filter((_, index) => outcomes[index] === undefined);
    if (missing.length > 0) return { content: fitting(missing, request.max_tokens) };
    step = plan.next(outcomes.filter((outcome) => outcome !== undefined));
  }
}

/** The first text of a user that is a task. Later messages do not change it. */
function taskOf({ messages }: MessagesRequest): string | undefined {
  for (const message of messages) {
    if (message.role !== "user") continue;
    for (const block of blocksOf(message)) {
      const folder = block.type === "text" ? folderOf(block.text) : undefined;
      if (folder !== undefined) return folder;
    }
  }
  return undefined;
}

function said(text: string): Reply {
  return { content: [{ type: "text", text }] };
}

/** As many calls as one turn takes, and at least one. */
function fitting(calls: readonly Call[], tokensMax: number): ReplyBlock[] {
  const out: ReplyBlock[] = [];
  let left = tokensMax * TOKENS_SHARE;
  for (const { name, input } of calls.slice(0, CALLS_PER_TURN)) {
    left -= countTokens(name) + countTokens(JSON.stringify(input));
    if (left < 0 && out.length > 0) break;
    out.push({ type: "tool_use", name, input });
  }
  return out;
}
