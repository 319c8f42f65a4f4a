/** A state with all that it has, as JSON would have it. */
import type { State } from "../../src/agent/state.ts";

export function plainOf(state: State) {
  const { entries, children, receivedIds, ...rest } = state;
  return { ...rest, entries: [...entries], children: [...children.values()], receivedIds: [...receivedIds] };
}
