import { test } from "vitest";
import { checkSeeds } from "./seeds.ts";

test("seeds 1 to 250 break no invariant", { timeout: 600_000 }, () => checkSeeds(1, 250));
