/** Invariant 6 for sessions: when the world has come to rest, no agent that has ended has one. The rest is witnessed by `sim/sessions.ts`. */
import { hasEnded } from "../../src/agent/status.ts";
import type { Checker, Scene } from "./checker.ts";

export function sessions({ world, audit, sessions: all, process }: Scene): Checker {
  return {
    sometimes: () => {
      const now = process();
      if (world.isHostile || !now?.isOpen) return;
      for (const agent of all.agentsOf(now.life)) {
        const head = audit.head(agent);
        if (head && hasEnded(head.status)) world.fail("sessions", `${agent} has ended, and its session is open`);
      }
    },
  };
}
