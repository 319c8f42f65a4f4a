/**
 * The loops of agents at work: look at the state, take the next step, look again, until there is nothing to do.
 *
 * L1  One loop for an agent at a time; what happens meanwhile makes it look once more before it rests.
 * L2  An agent that rests has no slot, no permit to call and no timer but for a retry. Its session is the pool's, which may close it; one
 *     that costs nothing is closed at once.
 * L3  Under a hold neither a model call nor a tool starts.
 * L4  An agent whose ancestor has ended does not run: it is cancelled.
 * L5  A step that is refused because the agent has moved on (it was cancelled, rewound, held) is no fault: it looks again.
 * L6  A wait does not grow when the wall clock is set back, be it before a restart, and none is longer than LIMITS.putOffMsMax.
 */
import type { Content } from "../agent/content.ts";
import { nextStep, type Step } from "../agent/next.ts";
import type { State } from "../agent/state.ts";
import { hasEnded, wantsWork } from "../agent/status.ts";
import { asBanyanError, BanyanError, type ErrorCode } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { Admission } from "./admission.ts";
import { endWaits, settleCalls, startCalls } from "./calls.ts";
import type { Files } from "./files.ts";
import { Governors } from "./governor/governors.ts";
import { Pool, type PoolOptions } from "./pool/pool.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";
import { Slots } from "./slots.ts";
import { callModel, runCalls } from "./turn.ts";
import { newWorker, type StartedCall, type StopReason, type Worker } from "./worker.ts";
import type { StepOptions, Workplace } from "./workplace.ts";

export interface WorkOptions extends StepOptions {
  readonly runningMax: number;
  readonly childrenLiveMax: number;
  readonly pool: PoolOptions;
  readonly files: Files;
  /** Told of an error that ended an agent's loop and is nobody's answer: a damaged journal, a bug. */
  readonly onFault: (agent: AgentId, error: unknown) => void;
}

export class Work implements Workplace {
  readonly services: Services;
  readonly roster: Roster;
  readonly options: WorkOptions;
  readonly slots: Slots;
  readonly governors: Governors;
  readonly pool: Pool;
  readonly #admission: Admission;
  readonly #workers = new Map<AgentId, Worker>();
  /** Agents whose next call does not fit a budget until one in flight settles, by root. */
  readonly #short = new Map<AgentId, Set<AgentId>>();
  /** When the retries that are waited for are due. */
  readonly #retries = new WeakMap<Worker, { retryTime: number; dueMs: number }>();
  #stopping = false;

  constructor(services: Services, roster: Roster, options: WorkOptions) {
    this.services = services;
    this.roster = roster;
    this.options = options;
    this.slots = new Slots(options.runningMax);
    this.governors = new Governors({
      ...services,
      wake: (agent) => this.kick(agent),
      waitsLong: (agent) => this.#showWait(agent),
    });
    this.pool = new Pool(
      {
        ...services,
        wake: (agent) => this.kick(agent),
        headroom: (execution) => this.governors.headroom(execution),
      },
      options.pool,
    );
    this.#admission = new Admission(options.childrenLiveMax);
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Has the agent look at its state soon. Safe to call at any time, for any agent. */
  kick(agent: AgentId): void {
    if (this.#stopping) return;
    const worker = this.#workers.get(agent) ?? newWorker(this.roster.cell(agent));
    worker.again = true;
    if (worker.running) return;
    this.#workers.set(agent, worker);
    worker.alarm?.cancel();
    worker.alarm = undefined;
    worker.running = this.#run(worker).finally(() => {
      worker.running = undefined;
      if (worker.again) this.kick(agent);
      else if (!worker.alarm && worker.started.length === 0) this.#workers.delete(agent);
    });
  }

  /** Stops the model call or the tools that the agent has in flight; resolves when that is journaled. False when it has none. */
  async interrupt(agent: AgentId, reason: StopReason = "interrupt"): Promise<boolean> {
    const flight = this.#workers.get(agent)?.flight;
    if (!flight) return false;
    flight.abort.abort(reason);
    await flight.landed;
    return true;
  }

  /** Resolves when nothing that the agent had in flight is any more. */
  async landed(agent: AgentId): Promise<void> {
    await this.#workers.get(agent)?.flight?.landed;
  }

  /** Stops what the agent has in flight for a conversation that was rewound. What has not begun begins in the new one. */
  rewound(agent: AgentId): void {
    const flight = this.#workers.get(agent)?.flight;
    if (flight?.begun) flight.abort.abort("rewound" satisfies StopReason);
  }

  /** True while a model call or tools are in flight, or about to be. */
  isBusy(agent: AgentId): boolean {
    return this.#workers.get(agent)?.flight !== undefined;
  }

  moneySettled(root: AgentId): void {
    const short = this.#short.get(root);
    if (!short) return;
    this.#short.delete(root);
    for (const agent of short) this.kick(agent);
  }

  waitForMoney(root: AgentId, agent: AgentId): void {
    const short = this.#short.get(root) ?? new Set();
    this.#short.set(root, short.add(agent));
  }

  /** Notes that an agent has ended, and starts the sibling that waited for its place. */
  ended(agent: AgentId, parent: AgentId | null): void {
    const worker = this.#workers.get(agent);
    if (worker && !worker.running) {
      worker.alarm?.cancel();
      this.#workers.delete(agent);
      void closeSession(worker);
    }
    if (!worker?.running) void this.pool.end(agent);
    const next = parent === null ? undefined : this.#admission.leave(parent, agent);
    if (next !== undefined) this.kick(next);
  }

  /** Stops every loop; what was in flight is journaled so that it goes on when the runtime is started again. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.governors.stop();
    const workers = [...this.#workers.values()];
    for (const worker of workers) {
      worker.alarm?.cancel();
      worker.again = false;
      worker.flight?.abort.abort("stopping" satisfies StopReason);
    }
    await Promise.all(workers.map((worker) => worker.running));
    await Promise.all(workers.map(closeSession));
    await this.pool.stop();
  }

  async #run(worker: Worker): Promise<void> {
    try {
      while (worker.again && !this.#stopping) {
        worker.again = false;
        if (await this.#goOn(worker)) worker.again = true;
      }
    } catch (error) {
      worker.again = false;
      await this.#fault(worker, error);
    } finally {
      await this.#rest(worker);
    }
  }

  /** L5. False when there is nothing to do. */
  async #goOn(worker: Worker): Promise<boolean> {
    const { cell } = worker;
    // A held agent that is not in memory has nothing under way, but what a crash left: it need not be read to rest (K3 of forks).
    const isIdle = !cell.loaded && cell.head.reservedUsd === 0;
    if (isIdle && this.roster.forest.holder(cell.agent)) return false;
    if (isIdle && cell.isWhole && !wantsWork(cell.head) && !this.roster.forest.isOrphan(cell.agent)) return false;
    // Whoever will work waits for a slot first, and is read then: of a large tree that goes on, few are in memory at a time.
    if (isIdle && wantsWork(cell.head) && !(await this.#mayBeRead(worker))) return false;
    const state = await cell.load();
    try {
      if (worker.started.length === 0) return await this.#step(worker, state, nextStep(state));
      if (!(await this.#mayWork(worker))) return false;
      const isOwn = ({ call }: StartedCall) => !state.tools.includes(call.name);
      if (worker.started.some(isOwn) && !(await this.#hasSession(worker, state))) return false;
      await runCalls(this, worker);
      return true;
    } catch (error) {
      const isRefusal = error instanceof BanyanError && REFUSALS.has(error.code);
      if (isRefusal && cell.head.seq > state.head.seq) return true;
      throw error;
    }
  }

  /**
   * What no answer can be given to is told. A store that failed is tried again after a while; a journal that is damaged or is
   * another's now is left alone; whatever else keeps the agent from going on fails it, so that nobody waits in vain.
   */
  async #fault(worker: Worker, error: unknown): Promise<void> {
    const { cell } = worker;
    this.options.onFault(cell.agent, error);
    const { code, message } = asBanyanError(error);
    if (code === "DISK_FAILED") this.#lookAgain(worker, LIMITS.diskRetryMs);
    if (LEFT_ALONE.has(code)) return;
    const failed = cell.dispatch({ do: "fail", error: { code, message } });
    await failed.catch((refusal) => this.options.onFault(cell.agent, refusal));
  }

  /** Takes one step; false when there was nothing to do. */
  async #step(worker: Worker, state: State, step: Step): Promise<boolean> {
    const { cell } = worker;
    if (!hasEnded(state.head.status) && this.roster.forest.isOrphan(cell.agent)) {
      await cell.dispatch({ do: "cancel", by: { kind: "runtime" }, reason: "its parent ended" });
      return false;
    }
    if (NEEDS_MEANS.has(step.do) && this.#lacksMeans(state)) return false;
    switch (step.do) {
      case "rest":
        return false;
      case "loseTurn":
        await cell.dispatch({ do: "loseTurn" });
        return true;
      case "settle":
        if (!(await this.#mayWork(worker))) return false;
        if (await this.options.files.before(cell, state, step.do)) return true;
        await settleCalls(this, worker, step.calls);
        return true;
      case "endWait":
        await endWaits(this, worker, state, step.calls);
        return true;
      case "runTools":
        if (!(await this.#mayWork(worker))) return false;
        if (await this.options.files.before(cell, state, step.do)) return true;
        // A tool may be the session's own.
        if (step.calls.some(({ call }) => !state.tools.includes(call.name)) && !(await this.#hasSession(worker, state)))
          return false;
        await Promise.all(
          startCalls(
            this,
            worker,
            step.calls.map(({ call }) => call),
          ),
        );
        return true;
      case "callModel":
        if (this.#putOff(worker, state) || !(await this.#mayWork(worker))) return false;
        if (await this.options.files.before(cell, state, step.do)) return true;
        return callModel(this, worker);
      case "complete":
        if (await this.options.files.before(cell, state, step.do)) return true;
        await cell.dispatch({ do: "complete", output: await outputOf(this.services, step.answer) });
        return false;
      case "refuse":
        await cell.dispatch({ do: "fail", error: { code: "MODEL_FAILED", message: step.why } });
        return false;
    }
  }

  /** False when it must wait for one. */
  async #hasSession(worker: Worker, state: State): Promise<boolean> {
    worker.session ??= await this.pool.claim(state);
    return worker.session !== undefined;
  }

  /** True when its model or one of its tools is not registered in this process: it waits until they are. */
  #lacksMeans({ head, tools }: State): boolean {
    return (
      this.services.driver.missing(head.execution) !== undefined ||
      tools.some((name) => !this.services.tools.find(name))
    );
  }

  /** True once the agent has a slot; false when a hold covers it (L3) or it must wait for a sibling to end. */
  async #mayWork(worker: Worker): Promise<boolean> {
    const { agent, head } = worker.cell;
    if (this.roster.forest.holder(agent)) return false;
    if (head.parent !== null && !this.#admission.admit(head.parent, agent)) return false;
    if (worker.slotted) return true;
    const granted = this.slots.acquire(head.root, head.level);
    worker.slotted = true;
    if (!granted) return true;
    await granted;
    // The world moved on while it waited: look again before working.
    worker.again = true;
    return false;
  }

  /** True when the agent has the means to work as far as its head tells, and a slot; or when it must not work, which it is told then. */
  async #mayBeRead(worker: Worker): Promise<boolean> {
    const { agent, head, isWhole } = worker.cell;
    if (!isWhole || head.waitingFor === "rateLimit" || this.roster.forest.isOrphan(agent)) return true;
    return this.services.driver.missing(head.execution) === undefined && this.#mayWork(worker);
  }

  /** Has the journal say that the agent waits for its provider. Nothing hangs on it: a store that fails may leave it out. */
  #showWait(agent: AgentId): void {
    const isDue = () => !this.#stopping && this.roster.forest.holder(agent) === undefined;
    const shown = this.roster.cell(agent).dispatch(() => (isDue() ? { do: "postponeTurn" } : undefined));
    void shown.catch(() => undefined);
  }

  /** Sets the alarm when the step is for later (L6). */
  #putOff(worker: Worker, { retry }: State): boolean {
    if (!retry || retry.retryTime === 0 || this.roster.forest.holder(worker.cell.agent)) return false;
    const waitMs = this.#dueMs(worker, retry) - this.services.clock.monotonic();
    if (waitMs <= 0) return false;
    this.#lookAgain(worker, waitMs);
    return true;
  }

  /** The monotonic time that stood for the wall time of a retry when it was first seen. */
  #dueMs(worker: Worker, { retryTime, waitMsMax }: NonNullable<State["retry"]>): number {
    const { clock } = this.services;
    const known = this.#retries.get(worker);
    if (known?.retryTime === retryTime) return known.dueMs;
    const waitMs = Math.min(LIMITS.putOffMsMax, waitMsMax, Math.max(0, retryTime - clock.now()));
    const dueMs = clock.monotonic() + waitMs;
    this.#retries.set(worker, { retryTime, dueMs });
    return dueMs;
  }

  #lookAgain(worker: Worker, afterMs: number): void {
    worker.alarm = this.services.clock.timer(afterMs, () => {
      worker.alarm = undefined;
      this.kick(worker.cell.agent);
    });
  }

  /** L2. */
  async #rest(worker: Worker): Promise<void> {
    if (worker.again && !this.#stopping) return;
    if (worker.slotted) {
      worker.slotted = false;
      this.slots.release();
    }
    const { cell } = worker;
    // Of what was offered to it, or taken for a call that was not made, others can make use.
    this.governors.settle(cell.agent);
    const isKept = worker.alarm !== undefined || worker.started.length > 0;
    const isOver = hasEnded(cell.head.status) || this.#stopping;
    if (this.pool.has(cell.agent)) {
      if (!isOver && cell.loaded) worker.session?.rests?.(cell.loaded);
      worker.session = undefined;
    } else if (isOver || !isKept) await closeSession(worker);
    if (isOver) await this.pool.end(cell.agent);
    else this.pool.leave(cell.agent, { waits: this.roster.forest.holder(cell.agent) === undefined });
    if (isOver || cell.size > LIMITS.waitingStateBytesMax) cell.unload();
  }
}

async function closeSession(worker: Worker): Promise<void> {
  const { session } = worker;
  worker.session = undefined;
  await session?.close();
}

const LEFT_ALONE: ReadonlySet<ErrorCode> = new Set([
  "DISK_FAILED",
  "JOURNAL_CONFLICT",
  "JOURNAL_DAMAGED",
  "SHUTTING_DOWN",
]);
/** What the agent itself says to a step that does not fit any more. */
const REFUSALS: ReadonlySet<ErrorCode> = new Set(["AGENT_ENDED", "AGENT_CANCELLED", "INTERRUPTED", "CALL_NOT_FOUND"]);
const NEEDS_MEANS: ReadonlySet<Step["do"]> = new Set(["settle", "runTools", "callModel"]);

/** What an agent's final answer amounts to: its text. */
async function outputOf(
  { contents }: Services,
  { parts }: Extract<Step, { do: "complete" }>["answer"],
): Promise<Content> {
  const texts = parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
  const [only] = texts;
  if (texts.length === 1 && only !== undefined) return only;
  const whole = await Promise.all(texts.map((text) => contents.fetch(text)));
  return contents.stow(whole.join("\n\n"));
}
