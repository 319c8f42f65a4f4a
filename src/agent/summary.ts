/**
 * The summary of an agent: its head as text, kept beside the journal so that opening reads no events. Opening reads one of every
 * agent there is, so it is short and quick to read: the values in a fixed order, then, on a second line, what many agents have alike,
 * which is read once for all of them.
 *
 * U1  What is read from a summary is the head that it was made of, but for the output: that can be long, few ask for it, and the
 *     event that ended the agent has it.
 * U2  A text that is no summary of this format is none at all; the agent is then folded from its events.
 */
import type { AgentId } from "../base/ids.ts";
import type { Budget, Execution, Rights } from "./events.ts";
import type { Head } from "./state.ts";

/** Changes with the order or meaning of the values. */
const FORMAT = 1;

type Values = [
  format: number,
  origin: Head["origin"],
  parent: AgentId | null,
  root: AgentId,
  level: number,
  name: string,
  seq: number,
  time: number,
  createdTime: number,
  status: Head["status"],
  waitingFor: Head["waitingFor"],
  held: boolean,
  interrupted: boolean,
  turns: number,
  input: number,
  output: number,
  cacheRead: number,
  cacheWrite: number,
  costUsd: number,
  estimatedUsd: number,
  reservedUsd: number,
  childrenLive: number,
  childrenTotal: number,
  activity: string,
  error: Head["error"],
  artifacts: Head["artifacts"],
  /** Left out where there never was one. */
  processes?: number,
];

type Shared = [
  mode: Head["mode"],
  execution: Execution,
  rights: Rights,
  budget: Budget | null,
  tenant?: string | undefined,
];

export function summaryOf(head: Head): string {
  const { input, output, cacheRead, cacheWrite } = head.usage;
  const values: Values = [
    FORMAT,
    head.origin,
    head.parent,
    head.root,
    head.level,
    head.name,
    head.seq,
    head.time,
    head.createdTime,
    head.status,
    head.waitingFor,
    head.held,
    head.interrupted ?? false,
    head.turns,
    input,
    output,
    cacheRead,
    cacheWrite,
    head.costUsd,
    head.estimatedUsd,
    head.reservedUsd,
    head.childrenLive,
    head.childrenTotal,
    head.activity,
    head.error,
    head.artifacts,
    ...(head.processes === undefined ? ([] as const) : ([head.processes] as const)),
  ];
  const { mode, execution, rights, budget, tenant } = head;
  const shared: Shared =
    tenant === undefined ? [mode, execution, rights, budget] : [mode, execution, rights, budget, tenant];
  return `${JSON.stringify(values)}\n${JSON.stringify(shared)}`;
}

/** Reads summaries; a reader for all of them keeps what they have alike once. */
export class SummaryReader {
  readonly #shared = new Map<string, Shared>();
  /** What the summary before had: the next one mostly has the same, and to see that takes less than to look it up. */
  #last: { readonly text: string; readonly shared: Shared } | undefined;

  /**
   * The head that the summary stands for (U1), or undefined (U2). Throws what JSON.parse throws. `known` gives heads read before:
   * ids that they have are not kept twice.
   */
  read(agent: AgentId, text: string, known: (agent: AgentId) => Head | undefined): Head | undefined {
    const end = text.indexOf("\n");
    if (end < 0 || !text.startsWith(START)) return undefined;
    // By place, not by destructuring, which would ask an iterator for each value.
    const values: Values = JSON.parse(text.slice(0, end));
    const shared = this.#sharedOf(text.slice(end + 1));
    const above = values[2] === null ? undefined : known(values[2]);
    return {
      agent,
      origin: values[1],
      parent: above?.agent ?? values[2],
      root: above?.root ?? values[3],
      level: values[4],
      name: values[5],
      mode: shared[0],
      execution: shared[1],
      rights: shared[2],
      budget: shared[3],
      tenant: shared[4],
      seq: values[6],
      time: values[7],
      createdTime: values[8],
      status: values[9],
      waitingFor: values[10],
      held: values[11],
      turns: values[13],
      usage: { input: values[14], output: values[15], cacheRead: values[16], cacheWrite: values[17] },
      costUsd: values[18],
      estimatedUsd: values[19],
      reservedUsd: values[20],
      childrenLive: values[21],
      childrenTotal: values[22],
      activity: values[23],
      output: null,
      error: values[24],
      artifacts: values[25].length > 0 ? values[25] : NO_ARTIFACTS,
      processes: values[26],
      interrupted: values[12] || undefined,
    };
  }

  #sharedOf(text: string): Shared {
    if (this.#last?.text === text) return this.#last.shared;
    const shared: Shared = this.#shared.get(text) ?? JSON.parse(text);
    if (this.#shared.size < SHARED_MAX) this.#shared.set(text, shared);
    this.#last = { text, shared };
    return shared;
  }
}

/** Of the many that wrote none. */
const NO_ARTIFACTS: Head["artifacts"] = [];

const START = `[${FORMAT},`;
/** Beyond, what agents have alike is read anew for each. */
const SHARED_MAX = 10_000;
