/**
 * Operations on data that no process runs: opened for each operation and closed again. Reads write nothing; commands are
 * journaled, and carried out by the next process that opens the data.
 */
import { openRuntime, type Runtime } from "../runtime/open.ts";
import { OPERATIONS, type OperationName } from "./contract/operations.ts";
import type { Door } from "./door.ts";
import { checkRequest, perform } from "./handlers.ts";
import { createOperations } from "./operations.ts";

/** Every operation throws DATA_IN_USE, for commands, when a process has opened the data meanwhile. */
export function openClosedDoor(folder: string): Door {
  return {
    isOpen: true,
    async one(name, input, signal = NEVER) {
      await using opened = await open(folder, name);
      return await perform(opened.handlers, checkRequest(name, input), signal);
    },
    async *many(name, input, signal = NEVER) {
      await using opened = await open(folder, name);
      yield* perform(opened.handlers, checkRequest(name, input), signal) as AsyncIterable<readonly unknown[]>;
      signal.throwIfAborted();
    },
    close: () => undefined,
  };
}

const NEVER = new AbortController().signal;

async function open(folder: string, name: OperationName) {
  const isRead = OPERATIONS[name].does === "read";
  const runtime: Runtime = await openRuntime(folder, isRead ? { readOnly: true } : { work: false });
  return {
    handlers: createOperations(runtime, { live: false }),
    [Symbol.asyncDispose]: () => runtime.stop(),
  };
}
