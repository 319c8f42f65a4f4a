/**
 * One model call: reserve its worst case, make it durable that it starts, call, make durable what came of it.
 *
 * N1  No call starts before its `turn.started` is durable, nor under a hold that was acknowledged before it goes out.
 * N2  A call is settled with what it cost, or with an upper bound of it.
 */
import { callsOf } from "../agent/content.ts";
import type { Failure } from "../agent/events.ts";
import type { State } from "../agent/state.ts";
import { hasEnded } from "../agent/status.ts";
import { costUsd } from "../agent/usage.ts";
import { LIMITS } from "../base/limits.ts";
import type { TurnOutcome } from "../drivers/driver.ts";
import { runStarted, startCalls } from "./calls.ts";
import { endedBy, type StartedTurn, startTurn, startTurnAtOnce } from "./turn-start.ts";
import { fly, type StopReason, type Worker } from "./worker.ts";
import type { Workplace } from "./workplace.ts";

/** Takes the agent's next turn. False when it must wait: for a model, for money, or because it cannot go on. */
export function callModel(work: Workplace, worker: Worker): Promise<boolean> {
  return fly(worker, work.stopping, async (signal, begin) => {
    const started = await startTurn(work, worker);
    if (typeof started === "boolean") return started;
    begin();
    await turn(work, worker, started, signal);
    return true;
  });
}

/** Runs the calls that were started. Their last result and the next turn's start are one append, if nothing stands between. */
export function runCalls(work: Workplace, worker: Worker): Promise<void> {
  return fly(worker, work.stopping, async (signal, begin) => {
    begin();
    let started: StartedTurn | undefined;
    await runStarted(work, worker, signal, async () => {
      started = (await startTurnAtOnce(work, worker, signal)) ?? started;
    });
    if (started) await turn(work, worker, started, signal);
  });
}

/** N2: everything that may end a turn goes through here. */
async function turn(work: Workplace, worker: Worker, { session, price }: StartedTurn, signal: AbortSignal) {
  const { cell } = worker;
  const { forest } = work.roster;
  const onDelta = (text: string) => work.options.onDelta(cell.agent, text);
  // N1: a hold or an end that came since, and a rewind that took the turn away, still stop the call.
  const mayStart = () => {
    const isOver = hasEnded(cell.head.status) || forest.isOrphan(cell.agent) || !cell.loaded?.turn;
    return !isOver && forest.holder(cell.agent) === undefined;
  };
  const outcome = await session.turn(await cell.load(), { signal, mayStart, onDelta });
  work.governors.settle(cell.agent, outcome);
  const cost = price ? costUsd(outcome.usage, price) : 0;
  try {
    await journalOutcome(work, worker, outcome, cost, signal);
  } catch (error) {
    endedBy(error, worker);
  }
}

async function journalOutcome(
  work: Workplace,
  worker: Worker,
  outcome: TurnOutcome,
  cost: number,
  signal: AbortSignal,
) {
  const { cell } = worker;
  const { ids, clock, random } = work.services;
  const spent = { usage: outcome.usage, costUsd: cost, ...(outcome.estimated && { estimated: true }) };
  const stopping = signal.aborted && (signal.reason as StopReason) === "stopping";
  if (stopping && outcome.outcome === "interrupted") {
    const error: Failure = { code: "SHUTTING_DOWN", message: "the runtime stopped during the call" };
    await cell.dispatch({ do: "failTurn", error, retryable: true, putOff: true, retryTime: clock.now(), ...spent });
    return;
  }
  switch (outcome.outcome) {
    case "done":
    case "interrupted": {
      const { parts, finish, model, meta } = outcome;
      const ended = cell.dispatch({
        do: "endTurn",
        outcome: outcome.outcome,
        messageId: ids(),
        parts: [...parts],
        finish,
        ...spent,
        ...(model !== undefined && { model }),
        ...(meta && { meta }),
      });
      // In one append with the answer: what it asks for starts, unless a hold has come.
      const started = outcome.outcome === "done" ? startCalls(work, worker, callsOf(parts)) : [];
      await Promise.all([ended, ...started]);
      return;
    }
    case "retryable": {
      const { error, putOff, afterMs } = outcome;
      const waitMs = afterMs ?? backoffMs(cell.loaded, random.next());
      await cell.dispatch({
        do: "failTurn",
        error,
        retryable: true,
        putOff,
        retryTime: clock.now() + waitMs,
        ...spent,
      });
      return;
    }
    case "fatal":
      await cell.dispatch({
        do: "failTurn",
        error: outcome.error,
        retryable: false,
        putOff: false,
        retryTime: 0,
        ...spent,
      });
      return;
    case "withheld":
      await cell.dispatch({ do: "withdrawTurn" });
  }
}

/** Exponential with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), never below the minimum. */
function backoffMs(state: State | undefined, chance: number): number {
  const failed = state?.retry ? state.retry.attempts + state.retry.putOffs : 0;
  const ceilingMs = Math.min(LIMITS.retryMsMax, LIMITS.retryMsMin * 2 ** (failed + 1));
  return Math.round(LIMITS.retryMsMin + chance * (ceilingMs - LIMITS.retryMsMin));
}
