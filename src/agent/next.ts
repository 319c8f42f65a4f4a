/**
 * What an agent does next, from its state alone. The shell asks again after every event, so that going on after a
 * crash, a hold, a fork or a rewind is the same as going on at all.
 */
import type { Entry, OpenCall, State } from "./state.ts";
import { hasEnded } from "./status.ts";
import { waitIsOver } from "./waits.ts";

export type Step =
  /** Nothing until something happens to it. */
  | { readonly do: "rest" }
  /** A model call was in flight when the process died. */
  | { readonly do: "loseTurn" }
  /** Calls that were running when the process died, or in a fork's origin: their policy says what to do. */
  | { readonly do: "settle"; readonly calls: readonly OpenCall[] }
  /** Calls whose wait is over. */
  | { readonly do: "endWait"; readonly calls: readonly OpenCall[] }
  /** Calls that have not started. */
  | { readonly do: "runTools"; readonly calls: readonly OpenCall[] }
  /** Call the model, not before `notBefore` (ms since the epoch, 0 for now). */
  | { readonly do: "callModel"; readonly notBefore: number }
  /** It has given its final answer. */
  | { readonly do: "complete"; readonly answer: Extract<Entry, { kind: "assistant" }> }
  | { readonly do: "refuse"; readonly why: string };

export function nextStep(state: State): Step {
  if (hasEnded(state.head.status)) return { do: "rest" };
  if (state.turn) return { do: "loseTurn" };
  if (state.open.length > 0) return nextOfCalls(state);
  const callModel: Step = { do: "callModel", notBefore: state.retry?.retryTime ?? 0 };
  if (state.inbox.length > 0) return callModel;
  if (state.interrupted) return { do: "rest" };
  const last = state.entries.at(-1);
  if (!last) return state.speaksFirst ? callModel : { do: "rest" };
  if (last.kind !== "assistant" || last.finish === "paused" || last.interrupted) return callModel;
  if (last.finish === "contentFilter") return { do: "refuse", why: "the provider's filter stopped the answer" };
  if (state.head.childrenLive > 0 || state.head.mode === "chat") return { do: "rest" };
  return { do: "complete", answer: last };
}

function nextOfCalls(state: State): Step {
  const asked = state.open.filter((open) => open.state === "asked");
  const started = state.open.filter((open) => open.state === "started");
  const left = started.filter((open) => !open.waitsFor);
  if (left.length > 0) return { do: "settle", calls: left };
  // Calls of one answer belong together: none of them runs while a person is asked whether another may.
  const isAsking = state.open.some((open) => open.state === "approval" && open.startSeq === undefined);
  if (asked.length > 0 && !isAsking) return { do: "runTools", calls: asked };
  const over = started.filter((open) => waitIsOver(state, open));
  return over.length > 0 ? { do: "endWait", calls: over } : { do: "rest" };
}
