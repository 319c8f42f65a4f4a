/** The first half of the kill loop: see kill.ts. */
import { test } from "vitest";
import { CYCLES, killLoop, TIMEOUT_MS } from "./kill.ts";

test(`1, 3, 7, 8: ${CYCLES} processes are killed at any moment, and nothing is lost`, { timeout: TIMEOUT_MS }, () =>
  killLoop(1),
);
