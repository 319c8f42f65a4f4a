import { test } from "vitest";
import { checkSeeds } from "./seeds.ts";

test("seeds 251 to 500 break no invariant", { timeout: 600_000 }, () => checkSeeds(251, 250));
