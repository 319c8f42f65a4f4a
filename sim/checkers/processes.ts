/**
 * Invariant 6, for programs: nothing runs that no journal knows of, nothing of a subtree runs once its end was acknowledged or all has
 * come to rest, what a journal says runs does run then, each run has one end, and an agent above learns of what was given up.
 */
import { hasEnded } from "../../src/agent/status.ts";
import type { AgentId } from "../../src/base/ids.ts";
import type { Deed } from "../people.ts";
import type { Running } from "../programs.ts";
import type { Checker, Scene } from "./checker.ts";
import { REVIVING } from "./ends.ts";

export function processes({ world, audit, programs, people, process, disk }: Scene): Checker {
  /** Agents by the ids of their processes, and runs that have begun and not ended in the journal. */
  const owners = new Map<string, AgentId>();
  const open = new Set<string>();
  /** Processes that were given up, for parents that lived then. */
  const givenUp = new Map<string, AgentId>();
  const received = new Set<string>();

  audit.onStep(({ agent, before, recorded: { event } }) => {
    switch (event.type) {
      case "process.started":
      case "process.restarted":
        owners.set(event.id, agent);
        if (open.has(event.id)) world.fail("processes", `${event.id} of ${agent} starts, though it runs`);
        open.add(event.id);
        return;
      case "process.ended": {
        const phase = before?.processes?.find(({ id }) => id === event.id)?.phase.is;
        // One that could not be started again ends without having run.
        if (!open.delete(event.id) && phase !== "backingOff")
          world.fail("processes", `${event.id} of ${agent} ends twice`);
        if (event.gaveUp && before && before.head.parent !== null && !hasEnded(before.head.status))
          givenUp.set(`${event.id}.gaveUp`, before.head.parent);
        return;
      }
      case "message.received":
        received.add(`${agent} ${event.id}`);
    }
  });

  programs.onBegin(({ id, pid, life }) => {
    audit.sync();
    const phase = phaseOf(id);
    const isKnown = phase?.is === "running" && phase.pid === pid;
    if (!isKnown && life === process()?.life)
      world.fail("processes", `program ${pid} of ${id} begins, and no journal knows`);
  });

  const phaseOf = (id: string) => {
    const owner = owners.get(id);
    const state = owner === undefined ? undefined : audit.states.get(owner);
    return state?.processes?.find((each) => each.id === id)?.phase;
  };
  const isOurs = ({ life }: Running) => life === process()?.life;

  people.onAcknowledged(({ verb, agent, process: asked, since }: Deed) => {
    if (verb !== "cancel" || !agent || asked.isStale) return;
    if (people.deeds.some((deed) => deed !== undefined && deed.since >= since - 50 && REVIVING.has(deed.verb))) return;
    const members = new Set(audit.subtree(agent).map((head) => head.agent));
    const left = programs.running.find((each) => isOurs(each) && members.has(owners.get(each.id) ?? ""));
    if (left)
      world.fail("processes", `program ${left.pid} of ${left.id} runs after the cancel of ${agent} was acknowledged`);
  });

  return {
    sometimes: () => {
      if (world.isHostile) return;
      const running = new Map(programs.running.map((each) => [each.pid, each]));
      for (const { id, pid } of running.values()) {
        const state = audit.states.get(owners.get(id) ?? "");
        if (!state || hasEnded(state.head.status))
          world.fail("processes", `program ${pid} of ${id} runs, and its agent does not`);
      }
      for (const { head, processes: known = [] } of audit.states.values()) {
        if (disk.damaged.has(head.agent)) continue;
        for (const { id, phase, cut } of known) {
          const isLive = phase.is !== "ended";
          if (phase.is === "running" && !running.has(phase.pid))
            world.fail("processes", `${id} of ${head.agent} runs for its journal alone`);
          if (isLive && (cut || hasEnded(head.status)))
            world.fail("processes", `${id} of ${head.agent} is ${phase.is} after its agent ended or took it back`);
        }
      }
      for (const [message, parent] of givenUp) {
        const head = audit.head(parent);
        if (!head || hasEnded(head.status) || disk.damaged.has(parent) || received.has(`${parent} ${message}`))
          continue;
        world.fail("processes", `${parent} was never told of ${message}`);
      }
    },
  };
}
