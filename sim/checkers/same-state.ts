/**
 * Invariant 3: same journal, same state. What a process holds of an agent is what its journal folds to, folded anew from the
 * first record: after every restart, of every fork, and whenever someone reads a state.
 */
import type { State } from "../../src/agent/state.ts";
import type { AgentId } from "../../src/base/ids.ts";
import { textOf } from "../audit.ts";
import type { Checker, Scene } from "./checker.ts";

export function sameState({ world, audit, process, people }: Scene): Checker {
  const compare = (agent: AgentId, head: State["head"], state?: State) => {
    const known = audit.head(agent);
    if (!known || known.seq < head.seq) {
      world.fail("same state", `${agent} is at ${head.seq} in memory, and its journal at ${known?.seq}`);
      return;
    }
    const folded = audit.stateAt(agent, head.seq);
    if (!folded) return world.fail("same state", `${agent} has no event ${head.seq}`);
    const [held, told] = state ? [textOf(state), textOf(folded)] : [JSON.stringify(head), JSON.stringify(folded.head)];
    if (held !== told) world.fail("same state", `${agent} at ${head.seq} is\n${held}\nand folds to\n${told}`);
  };
  people.onAcknowledged(({ verb, agent, process }) => {
    if (verb !== "read" || agent === undefined) return;
    // What the verb brought into memory is still there, or newer.
    void process.coordinator.state(agent).then((state) => compare(agent, state.head, state));
  });
  return {
    sometimes: () => {
      const now = process();
      if (!now?.isReady) return;
      for (const { head } of now.coordinator.forest.nodes()) compare(head.agent, head);
      for (const [agent, state] of audit.states) {
        const folded = audit.stateAt(agent, state.head.seq);
        if (!folded || textOf(folded) !== textOf(state)) world.fail("same state", `${agent} folds to two states`);
      }
    },
  };
}
