/**
 * One model call: reserve its worst case, make it durable that it starts, call, make durable what came of it.
 *
 * N1  No call starts before its `turn.started` is durable, nor under a hold that was acknowledged before it goes out.
 * N2  A call is settled with what it cost, or with an upper bound of it.
 */
import { callsOf } from "../agent/content.ts";
import type { Failure } from "../agent/events.ts";
import { listPrice } from "../agent/prices.ts";
import type { State } from "../agent/state.ts";
import { hasEnded } from "../agent/status.ts";
import { costUsd, type Price, worstCaseUsd } from "../agent/usage.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Session, TurnOutcome } from "../drivers/driver.ts";
import { startCalls } from "./calls.ts";
import type { Work } from "./work.ts";
import { fly, type StopReason, type Worker } from "./worker.ts";

/** Takes the agent's next turn. False when it must wait: for a model, for money, or because it cannot go on. */
export function callModel(work: Work, worker: Worker): Promise<boolean> {
  return fly(worker, work.stopping, (signal, begin) => prepareAndCall(work, worker, signal, begin));
}

async function prepareAndCall(work: Work, worker: Worker, signal: AbortSignal, begin: () => void): Promise<boolean> {
  const { cell } = worker;
  const { driver } = work.services;
  const { forest } = work.roster;
  const state = await cell.load();
  const { execution } = state.head;
  worker.session ??= await driver.open(state);
  const price = execution.price ?? listPrice(execution.model);
  const bound = await worker.session.worstCase(state);
  const reservedUsd = price ? worstCaseUsd(bound.promptTokensMax, bound.outputTokensMax, price) : 0;
  if (!(await mayPay(work, worker, price, reservedUsd))) return false;
  try {
    const covered = forest.holder(cell.agent) !== undefined;
    await cell.dispatch({ do: "startTurn", covered, reservedUsd, readTo: state.head.seq });
  } catch (error) {
    forest.release(cell.agent);
    work.moneySettled(cell.head.root);
    return endedBy(error, worker);
  }
  begin();
  await turn(work, worker, worker.session, price, signal);
  return true;
}

/** N2: everything that may end a turn goes through here. */
async function turn(work: Work, worker: Worker, session: Session, price: Price | undefined, signal: AbortSignal) {
  const { cell } = worker;
  const { forest } = work.roster;
  const onDelta = (text: string) => work.options.onDelta(cell.agent, text);
  // N1: a hold or an end that came since, and a rewind that took the turn away, still stop the call.
  const mayStart = () => {
    const isOver = hasEnded(cell.head.status) || forest.isOrphan(cell.agent) || !cell.loaded?.turn;
    return !isOver && forest.holder(cell.agent) === undefined;
  };
  const outcome = await session.turn(await cell.load(), { signal, mayStart, onDelta });
  const cost = price ? costUsd(outcome.usage, price) : 0;
  try {
    await journalOutcome(work, worker, outcome, cost, signal);
  } catch (error) {
    endedBy(error, worker);
  }
}

async function journalOutcome(work: Work, worker: Worker, outcome: TurnOutcome, cost: number, signal: AbortSignal) {
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

/** True when the worst case is reserved. Otherwise the agent waits for a sibling's call to settle, or fails. */
async function mayPay(work: Work, worker: Worker, price: Price | undefined, reservedUsd: number): Promise<boolean> {
  const { cell } = worker;
  const { forest } = work.roster;
  if (!price) {
    const bound = [...forest.path(cell.agent)].find(({ head }) => head.budget?.costUsd !== undefined);
    if (!bound) return true;
    const message = `${bound.head.name} has a budget, and the price of ${cell.head.execution.model} is not known`;
    await cell.dispatch({ do: "fail", error: { code: "PRICE_UNKNOWN", message } });
    return false;
  }
  const shortage = forest.reserve(cell.agent, reservedUsd);
  if (!shortage) return true;
  if (forest.reservedBeside(cell.agent, shortage.agent) > 0) {
    work.waitForMoney(cell.head.root, cell.agent);
    return false;
  }
  await cell.dispatch({ do: "fail", error: { code: shortage.refused, message: shortage.why } });
  return false;
}

/** An agent that was cancelled, held or rewound meanwhile refuses; anything else is a fault. */
function endedBy(error: unknown, worker: Worker): boolean {
  const expected = ["AGENT_ENDED", "INTERRUPTED", "AGENT_CANCELLED", "CALL_NOT_FOUND", "TURNS_EXCEEDED"];
  if (!(error instanceof BanyanError) || !expected.includes(error.code)) throw error;
  if (error.code === "TURNS_EXCEEDED")
    void worker.cell.dispatch({ do: "fail", error: { code: error.code, message: error.message } });
  return error.code !== "INTERRUPTED";
}
