/** Does what was asked for, and says what came of it. */
import type { AgentDetail } from "../../server/contract/agent.ts";
import { ask } from "../api/operations.ts";
import { plural } from "../parts/format.ts";
import type { Doing } from "../shell/selection.ts";
import type { Fields } from "./fields.tsx";

/** @throws BanyanError */
export async function perform(
  { verb, agent, seq, callId }: Doing,
  fields: Fields & { readonly refuse: boolean },
  name: string,
  detail: AgentDetail | undefined,
): Promise<string> {
  const reason = fields.reason.trim();
  const why = reason === "" ? {} : { reason };
  switch (verb) {
    case "send":
      await ask("send", { agent, text: fields.text });
      return `${name} has the message.`;
    case "pause":
      await ask("pause", { agent, interrupt: fields.interrupt, ...why });
      return `${name} is held, with all below it.`;
    case "resume":
      await ask("resume", { agent });
      return `${name} goes on.`;
    case "interrupt": {
      const { interrupted } = await ask("interrupt", { agent, subtree: fields.subtree });
      return interrupted === 0 ? "Nothing was in flight." : `${plural(interrupted, "agent")} interrupted.`;
    }
    case "cancel":
      await ask("cancel", { agent, ...why });
      return `${name} is cancelled, with all below it.`;
    case "fork": {
      const task = fields.text.trim();
      const at = seq === undefined ? {} : { at: seq };
      const { path } = await ask("fork", { agent, ...at, subtree: fields.subtree, ...(task !== "" && { task }) });
      return `The fork is ${path}.`;
    }
    case "rewind":
      await ask("rewind", { agent, to: seq ?? 0, ...(fields.files && { files: true }) });
      return `${name} is back at event ${seq ?? 0}${fields.files ? ", its files too" : ""}.`;
    case "checkpoint":
      await ask("checkpoint", {
        ...{ agent, name: fields.name.trim() },
        ...(seq !== undefined && { at: seq }),
        ...(fields.pin && { pin: true }),
        ...(fields.files && { files: true }),
      });
      return `The checkpoint is ${fields.name.trim()}.`;
    case "budget":
      await ask("setBudget", { agent, budget: { ...detail?.budget, costUsd: Number(fields.costUsd) } });
      return `${name} has its budget.`;
    case "answer": {
      const call = fields.callId || callId || detail?.asks[0]?.callId || "";
      await ask("answer", { agent, callId: call, decision: fields.refuse ? "report" : "rerun", ...why });
      return fields.refuse ? "The call is refused." : "The call may run.";
    }
  }
}
