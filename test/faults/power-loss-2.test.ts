/** The other half of the power cuts: see power-loss.ts. */
import { test } from "vitest";
import { powerLossOf, TIMEOUT_MS } from "./power-loss.ts";

test(
  "1, 7, J1, J3, J5, B1: power is cut at every even write boundary of 1,000 operations: nothing acknowledged is lost",
  {
    timeout: TIMEOUT_MS,
  },
  () => powerLossOf(0),
);
