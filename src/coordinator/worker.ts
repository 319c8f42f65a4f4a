/** What this process holds for an agent at work. Empty for one that rests, however long. */
import type { ToolCall } from "../agent/content.ts";
import type { Timer } from "../base/clock.ts";
import type { Session } from "../drivers/driver.ts";
import type { Tool } from "../tools/tool.ts";
import type { Cell } from "./cell.ts";

export interface Worker {
  readonly cell: Cell;
  /** Its loop, while it runs. */
  running: Promise<void> | undefined;
  /** Something happened since the loop last looked. */
  again: boolean;
  /** It has a slot. */
  slotted: boolean;
  session: Session | undefined;
  /** The model call or the tools in flight. */
  flight: Flight | undefined;
  /** Calls whose start is durable and that have not run: only this process may run them. */
  readonly started: StartedCall[];
  /** Set when it is to be looked at again. */
  alarm: Timer | undefined;
}

export interface StartedCall {
  readonly call: ToolCall;
  readonly tool: Tool;
  /** Messages of the inbox that its result carries. */
  readonly took?: readonly string[];
}

export interface Flight {
  readonly abort: AbortController;
  /** The turn or the tools are durable as started: a rewind from now on takes away what it works for. */
  begun: boolean;
  /** Resolves when what became of it is journaled. Never rejects. */
  readonly landed: Promise<void>;
}

export function newWorker(cell: Cell): Worker {
  return {
    cell,
    running: undefined,
    again: false,
    slotted: false,
    session: undefined,
    flight: undefined,
    started: [],
    alarm: undefined,
  };
}

/**
 * Why work in flight was stopped: it decides what is journaled. `rewound`: the conversation that it belonged to is gone, and what
 * comes of it is nobody's.
 */
export type StopReason = "interrupt" | "stopping" | "rewound";

/** Runs `work` as the worker's flight, so that it can be stopped from outside. `begin` is to be called once it has begun. */
export async function fly<T>(
  worker: Worker,
  stopping: boolean,
  work: (signal: AbortSignal, begin: () => void) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const { promise: landed, resolve: land } = Promise.withResolvers<void>();
  const flight: Flight = { abort, begun: false, landed };
  worker.flight = flight;
  if (stopping) abort.abort("stopping" satisfies StopReason);
  try {
    return await work(abort.signal, () => {
      flight.begun = true;
    });
  } finally {
    worker.flight = undefined;
    land();
  }
}
