/**
 * Invariant 6: a finished subtree has nothing running. Nothing starts for an agent that has ended, or below one, once the process
 * knows; and when the world has come to rest, or a cancel was acknowledged, nothing of it goes on.
 */
import { hasEnded } from "../../src/agent/status.ts";
import type { AgentId } from "../../src/base/ids.ts";
import type { Deed } from "../people.ts";
import type { Call } from "../provider.ts";
import type { Run } from "../tools.ts";
import type { Checker, Scene } from "./checker.ts";

export function ends({ world, audit, provider, tools, people, process }: Scene): Checker {
  const refuseStart = (what: string, { agent, life }: Call | Run) => {
    const now = process();
    if (now?.life !== life) return;
    for (let node = now.coordinator.forest.get(agent); node; node = node.parent) {
      if (!hasEnded(node.head.status)) continue;
      const where = node.head.agent === agent ? "which has ended" : `below ${node.head.agent}, which has ended`;
      return world.fail("ends", `${what} started for ${agent}, ${where}`);
    }
  };
  provider.onCall((call) => refuseStart("a call", call));
  tools.onRun((run) => refuseStart(run.tool, run));

  const checkCancelled = ({ agent, process, since }: Deed) => {
    if (!agent || process.isStale) return;
    const below = audit.subtree(agent).map((head) => head.agent);
    // Someone may have had it go on meanwhile.
    const others = people.deeds.some((deed) => REVIVING.has(deed.verb) && deed.since >= since - 50);
    if (others) return;
    const members = new Set(below);
    for (const each of below) {
      const head = audit.head(each);
      if (head && !hasEnded(head.status))
        world.fail("ends", `${each} lives after the cancel of ${agent} was acknowledged`);
    }
    checkInFlight(members, "after its cancel was acknowledged");
  };
  people.onAcknowledged((deed) => {
    if (deed.verb === "cancel") checkCancelled(deed);
  });

  const checkInFlight = (agents: ReadonlySet<AgentId>, when: string) => {
    // A process that another has replaced does not know, and cannot be told.
    const isOurs = ({ agent, life }: Call | Run) => agents.has(agent) && life === process()?.life;
    const call = provider.inFlight.find(isOurs);
    if (call) world.fail("ends", `a call for ${call.agent} goes on ${when}`);
    const run = tools.inFlight.find((each) => isOurs(each) && !each.isDeaf);
    if (run) world.fail("ends", `${run.tool} goes on for ${run.agent} ${when}`);
  };

  return {
    sometimes: () => {
      if (world.isHostile) return;
      const ended = new Set<AgentId>();
      for (const { head } of audit.states.values()) {
        if (hasEnded(head.status)) ended.add(head.agent);
        else if (audit.isOrphan(head.agent)) world.fail("ends", `${head.agent} lives below an ended agent`);
      }
      for (const { head, children } of audit.states.values()) {
        if (hasEnded(head.status)) continue;
        // A fork alone knows its origin's children, which are not its own.
        const own = [...children.values()].filter((child) => audit.head(child.agent)?.parent === head.agent);
        const cut = own.find((child) => child.cut && !ended.has(child.agent));
        if (cut) world.fail("ends", `${cut.agent} lives though a rewind of ${head.agent} took it back`);
      }
      checkInFlight(ended, "after its end");
    },
  };
}

/** Verbs after which an agent that had ended may go on, and what lives below it too. */
export const REVIVING: ReadonlySet<string> = new Set([
  "rewind",
  "send",
  "sendTwice",
  "resume",
  "fork",
  "forkTree",
  "spawnChild",
]);
