/** Where operations are carried out: in the process that runs the agents, or on data that none runs. */
import type { OperationName } from "./contract/operations.ts";

export interface Door {
  /** False once the process at the other end is gone. */
  readonly isOpen: boolean;
  one(name: OperationName, input: unknown, signal?: AbortSignal): Promise<unknown>;
  /** Items come in batches. */
  many(name: OperationName, input: unknown, signal?: AbortSignal): AsyncIterable<readonly unknown[]>;
  /** Lets go of it. Twice is harmless. */
  close(): void;
}
