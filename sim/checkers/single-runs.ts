/**
 * Invariant 8: a tool that is not declared safe to rerun is never run twice for one call. The tools say what ran. A rewind makes
 * a call that had not started then a new one, and a person may say to run one again.
 */
import type { AgentId } from "../../src/base/ids.ts";
import { POLICIES } from "../tools.ts";
import type { Checker, Scene } from "./checker.ts";

export function singleRuns({ world, audit, tools }: Scene): Checker {
  /** Durable starts and executions of each call. */
  const starts = new Map<string, number>();
  const runs = new Map<string, number>();
  const keyOf = (agent: AgentId, callId: string) => `${agent} ${callId}`;
  const add = (counts: Map<string, number>, key: string) => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    return count;
  };

  audit.onStep(({ agent, before, recorded: { event } }) => {
    if (event.type !== "tool.started") return;
    add(starts, keyOf(agent, event.callId));
    const open = before?.open.find(({ call }) => call.callId === event.callId);
    const policy = POLICIES[open?.call.name ?? ""];
    if (policy === undefined || policy === "rerun" || open?.startSeq === undefined) return;
    const wasAnswered = policy === "ask" && open.state === "asked";
    if (!wasAnswered)
      world.fail("single runs", `${open.call.name} is started again for call ${event.callId} of ${agent}`);
  });
  tools.onRun(({ agent, callId, tool }) => {
    audit.sync();
    const key = keyOf(agent, callId);
    if (add(runs, key) > (starts.get(key) ?? 0)) {
      world.fail("single runs", `${tool} runs for call ${callId} of ${agent} without a durable start of its own`);
    }
  });
  return {};
}
