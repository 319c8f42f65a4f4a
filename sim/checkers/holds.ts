/**
 * Invariant 4: after a hold is acknowledged no model call starts in the subtree, children spawned later included. The provider
 * says when a call starts, the person when the pause was acknowledged.
 */
import type { AgentId } from "../../src/base/ids.ts";
import type { Checker, Scene } from "./checker.ts";

export function holds({ world, audit, provider, people, process }: Scene): Checker {
  /** Holds that someone was told of, by the agent they are set on. */
  const acknowledged = new Set<AgentId>();
  audit.onStep(({ agent, after }) => {
    if (!after.head.held) acknowledged.delete(agent);
  });
  people.onAcknowledged(({ verb, agent }) => {
    if ((verb === "pause" || verb === "pauseNow") && agent && audit.head(agent)?.held) acknowledged.add(agent);
  });
  provider.onCall(({ agent, life }) => {
    // One that is out of date may make a call whose start was durable before it was taken over from.
    if ((process()?.life.number ?? life.number) > life.number) return;
    audit.sync();
    const holder = [...audit.path(agent)].find((head) => acknowledged.has(head.agent));
    if (holder) {
      world.fail(
        "holds",
        `a call for ${agent} started in process ${life.number} under the acknowledged hold of ${holder.agent}`,
      );
    }
  });
  return {};
}
