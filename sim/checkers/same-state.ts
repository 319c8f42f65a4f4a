/**
 * Invariant 3: same journal, same state. What a process holds of an agent is what its journal folds to, folded anew from the
 * first record: after every restart, of every fork, and whenever someone reads a state.
 */
import type { State } from "../../src/agent/state.ts";
import type { AgentId } from "../../src/base/ids.ts";
import { inOrder, textOf } from "../audit.ts";
import type { Checker, Scene } from "./checker.ts";

/** A fork begins with its record, and perhaps a first message. */
const BIRTH_EVENTS_MAX = 2;

/** What the head of a fork tells only once its past was read, which a hold puts off (K3 of src/coordinator/fork.ts). */
const READ_LATER = ["status", "waitingFor", "activity", "childrenLive", "childrenTotal", "interrupted"] as const;

export function sameState({ world, audit, process, people }: Scene): Checker {
  const isUnread = ({ agent, origin, seq }: State["head"]) =>
    origin !== null && seq <= origin.seq + BIRTH_EVENTS_MAX && process()?.coordinator.forest.holder(agent);
  const shown = (head: State["head"], unread: boolean) =>
    JSON.stringify(inOrder(head), (key, value) =>
      unread && (READ_LATER as readonly string[]).includes(key) ? undefined : value,
    );
  const compare = (agent: AgentId, head: State["head"], state?: State) => {
    const known = audit.head(agent);
    if (!known || known.seq < head.seq) {
      world.fail("same state", `${agent} is at ${head.seq} in memory, and its journal at ${known?.seq}`);
      return;
    }
    const folded = audit.stateAt(agent, head.seq);
    if (!folded) return world.fail("same state", `${agent} has no event ${head.seq}`);
    // A head that was read from a summary has no output: nothing is said of one then.
    const unread = !state && Boolean(isUnread(head));
    const [held, told] = state
      ? [textOf(state), textOf(folded)]
      : [shown(head, unread), shown({ ...folded.head, output: head.output && folded.head.output }, unread)];
    if (held !== told) world.fail("same state", `${agent} at ${head.seq} is\n${held}\nand folds to\n${told}`);
  };
  people.onAcknowledged(({ verb, agent, process }) => {
    if (verb !== "read" || agent === undefined) return;
    // What the verb brought into memory is still there, or newer.
    const read = process.coordinator.state(agent).then((state) => compare(agent, state.head, state));
    // What is damaged meanwhile is not there to compare.
    read.catch(() => undefined);
    void process.coordinator.output(agent).then((output) => {
      const folded = audit.states.get(agent)?.head.output ?? null;
      // It may have gone on since.
      if (output !== null && folded !== null && JSON.stringify(output) !== JSON.stringify(folded)) {
        world.fail("same state", `${agent} is said to have answered ${JSON.stringify(output)}`);
      }
    });
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
