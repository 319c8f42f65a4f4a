/**
 * What a turn needs before its call: a session, money for its worst case, and a start that is durable.
 *
 * M1  What is reserved covers the prompt that will be sent: messages that come later wait for the next turn.
 * M2  A reservation whose start did not become durable is given back.
 * M3  A call starts when the provider has room for it. An agent that waits for room has reserved no money meanwhile.
 */
import { nextStep } from "../agent/next.ts";
import { listPrice } from "../agent/prices.ts";
import type { Head, State } from "../agent/state.ts";
import { type Price, worstCaseUsd } from "../agent/usage.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import type { Session, TurnBound } from "../drivers/driver.ts";
import type { Worker } from "./worker.ts";
import type { Workplace } from "./workplace.ts";

/** A turn whose start is durable, and whose call this process alone may make. */
export interface StartedTurn {
  readonly session: Session;
  readonly price: Price | undefined;
}

/** The turn; or whether the agent has something else to do: it may wait for a session or money, or be unable to go on. */
export async function startTurn(work: Workplace, worker: Worker): Promise<StartedTurn | boolean> {
  const { cell } = worker;
  const { forest } = work.roster;
  const state = await cell.load();
  worker.session ??= await work.pool.claim(state);
  const { session } = worker;
  if (!session) return false;
  const price = priceOf(state);
  const bound = session.worstCase(state);
  const reservedUsd = worstCaseOf(bound, price);
  if (!(await mayPay(work, worker, price, reservedUsd))) return false;
  // M3.
  if (!work.governors.enter(state, bound)) {
    giveBack(work, worker);
    return false;
  }
  try {
    const covered = forest.holder(cell.agent) !== undefined;
    await cell.dispatch({ do: "startTurn", covered, reservedUsd, readTo: state.head.seq });
    return { session, price };
  } catch (error) {
    giveBack(work, worker);
    return endedBy(error, worker);
  }
}

/**
 * Starts the turn in one append with the command before it, when that is what comes next and nothing stands in its way. Otherwise
 * undefined: the loop looks again, and does what is due.
 */
export async function startTurnAtOnce(
  work: Workplace,
  worker: Worker,
  signal: AbortSignal,
): Promise<StartedTurn | undefined> {
  const { cell, session } = worker;
  if (!session) return undefined;
  const { forest } = work.roster;
  let price: Price | undefined;
  let reserved = false;
  try {
    const events = await cell.dispatch((state) => {
      const step = nextStep(state);
      const filesFirst = state.head.execution.keepFiles || state.files?.restoring !== undefined;
      const isDue = step.do === "callModel" && step.notBefore === 0 && !filesFirst;
      if (!isDue || signal.aborted || forest.isOrphan(cell.agent)) return undefined;
      price = priceOf(state);
      if (forest.holder(cell.agent) || (!price && bindingBudget(work, cell.agent))) return undefined;
      const bound = session.worstCase(state);
      const reservedUsd = worstCaseOf(bound, price);
      if (!work.governors.mayEnter(state, bound)) return undefined;
      if (forest.reserve(cell.agent, reservedUsd)) return undefined;
      reserved = true;
      return { do: "startTurn", covered: false, reservedUsd, readTo: state.head.seq };
    });
    return events.length > 0 ? { session, price } : undefined;
  } catch (error) {
    if (reserved) giveBack(work, worker);
    // What it was prepared for may never be: the next session counts anew.
    worker.session = undefined;
    if (work.pool.has(cell.agent)) await work.pool.end(cell.agent);
    else await session.close();
    endedBy(error, worker);
    return undefined;
  }
}

function priceOf({ head: { execution } }: State): Price | undefined {
  return execution.price ?? listPrice(execution.model);
}

/** M1. */
function worstCaseOf({ promptTokensMax, outputTokensMax }: TurnBound, price: Price | undefined): number {
  return price ? worstCaseUsd(promptTokensMax, outputTokensMax, price) : 0;
}

/** M2. */
function giveBack(work: Workplace, { cell }: Worker): void {
  work.roster.forest.release(cell.agent);
  work.moneySettled(cell.head.root);
}

/** True when the worst case is reserved. Otherwise the agent waits for a sibling's call to settle, or fails. */
async function mayPay(
  work: Workplace,
  worker: Worker,
  price: Price | undefined,
  reservedUsd: number,
): Promise<boolean> {
  const { cell } = worker;
  const { forest } = work.roster;
  if (!price) {
    const bound = bindingBudget(work, cell.agent);
    if (!bound) return true;
    const message = `${bound.name} has a budget, and the price of ${cell.head.execution.model} is not known`;
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

/** The nearest agent whose budget of money the agent spends from: without a price, it forbids a call. */
function bindingBudget(work: Workplace, agent: AgentId): Head | undefined {
  for (const { head } of work.roster.forest.path(agent)) if (head.budget?.costUsd !== undefined) return head;
  return undefined;
}

/** An agent that was cancelled, held or rewound meanwhile refuses; anything else is a fault. */
export function endedBy(error: unknown, worker: Worker): boolean {
  const expected = ["AGENT_ENDED", "INTERRUPTED", "AGENT_CANCELLED", "CALL_NOT_FOUND", "TURNS_EXCEEDED"];
  if (!(error instanceof BanyanError) || !expected.includes(error.code)) throw error;
  if (error.code === "TURNS_EXCEEDED")
    void worker.cell.dispatch({ do: "fail", error: { code: error.code, message: error.message } });
  return error.code !== "INTERRUPTED";
}
