/** Asserts what must hold inside the program. A failed assertion is a bug in Banyan, never the user's mistake. */
import { BanyanError } from "./errors.ts";

export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new BanyanError("INTERNAL", `assertion failed: ${what}`);
}

/** For the end of an exhaustive switch: the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new BanyanError("INTERNAL", `unreachable: ${JSON.stringify(value)}`);
}
