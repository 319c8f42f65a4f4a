import { test } from "vitest";
import { checkSeeds } from "./seeds.ts";

test("seeds 751 to 1000 break no invariant", { timeout: 600_000 }, () => checkSeeds(751, 250));
