/** Invariant 10: a child's rights never exceed its parent's, and nobody spawns by itself without the right to. */
import type { Rights } from "../../src/agent/events.ts";
import type { Checker, Scene } from "./checker.ts";

export function rights({ world, audit }: Scene): Checker {
  audit.onStep(({ agent, recorded: { event }, after: { head } }) => {
    if (event.type !== "agent.created" && event.type !== "agent.forked") return;
    const parent = head.parent === null ? undefined : audit.head(head.parent);
    if (parent && exceeds(head.rights, parent.rights)) {
      world.fail("rights", `${agent} may do what its parent ${parent.agent} may not: ${JSON.stringify(head.rights)}`);
    }
    const isOwn = event.type === "agent.created" && event.callId !== undefined;
    if (isOwn && parent && !parent.rights.spawn) world.fail("rights", `${parent.agent} spawned ${agent} and may not`);
  });
  return {};
}

function exceeds(own: Rights, bound: Rights): boolean {
  const isOutside = own.root !== undefined && own.root !== bound.root && !own.root.startsWith(`${bound.root}/`);
  return (own.commands && !bound.commands) || (own.spawn && !bound.spawn) || isOutside;
}
