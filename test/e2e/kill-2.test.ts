/** The second half of the kill loop: see kill.ts. */
import { test } from "vitest";
import { CYCLES, killLoop, TIMEOUT_MS } from "./kill.ts";

test(`1, 3, 7, 8: ${CYCLES} more are killed, from other seeds`, { timeout: TIMEOUT_MS }, () => killLoop(2));
