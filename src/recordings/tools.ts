/** A tool that answers what was recorded. Safe to run again: it changes nothing. */
import type { AgentId } from "../base/ids.ts";
import type { Tool } from "../tools/tool.ts";
import { UNRECORDED } from "./messages-of.ts";
import type { Answered } from "./script.ts";

export function replayTool(
  name: string,
  answer: (agent: AgentId, callId: string) => Promise<Answered | undefined>,
): Tool {
  return {
    name,
    description: "A recorded tool.",
    inputSchema: { type: "object" },
    onUnknownOutcome: "rerun",
    async run(_input, { agent, callId }) {
      const recorded = await answer(agent, callId);
      return recorded ? { text: recorded.text, meta: recorded.meta } : { text: "", meta: UNRECORDED };
    },
  };
}
