/** The operations over a runtime: the contract's table with what carries each out. */
import type { Sender } from "../agent/events.ts";
import type { Runtime } from "../runtime/open.ts";
import type { Handlers } from "./handlers.ts";
import { readHandlers } from "./reads.ts";
import { commandHandlers, type StartTree } from "./verbs.ts";

export interface OperationsOptions {
  /** Who asks; a person when it is not said. */
  readonly by?: Sender;
  /** This process has the data open for work. */
  readonly live: boolean;
  /** Asks this process to stop; absent where that is not for the caller to ask. */
  readonly shutDown?: (() => void) | undefined;
  /** Begins trees for tasks; absent where the process takes none. */
  readonly startTree?: StartTree | undefined;
}

export function createOperations(
  runtime: Runtime,
  { by = { kind: "person" }, live, shutDown, startTree }: OperationsOptions,
): Handlers {
  return { ...readHandlers(runtime, { live }), ...commandHandlers(runtime, { by, shutDown, startTree }) };
}
