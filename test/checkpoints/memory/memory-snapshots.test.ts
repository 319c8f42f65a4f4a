import { MemorySnapshots } from "../../../src/checkpoints/memory/memory-snapshots.ts";
import { snapshotsConformance } from "../../conformance/snapshots.ts";

snapshotsConformance("memory", async () => new MemorySnapshots());
