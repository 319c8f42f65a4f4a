import { test } from "vitest";
import { checkSeeds } from "./seeds.ts";

test("seeds 501 to 750 break no invariant", { timeout: 600_000 }, () => checkSeeds(501, 250));
