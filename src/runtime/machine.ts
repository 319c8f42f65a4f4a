/** What this machine, or the control group that the process is in, lets sessions take. */
import { availableParallelism, freemem, totalmem } from "node:os";
import type { PoolOptions } from "../coordinator/pool/pool.ts";

/** Of all memory: the rest is for the process itself, the page cache, and what agents run. */
const MEMORY_SHARE = 0.5;

export function machinePool(): PoolOptions {
  const constrained = process.constrainedMemory();
  const bytes = constrained > 0 ? Math.min(totalmem(), constrained) : totalmem();
  return {
    memoryBytesMax: Math.floor(bytes * MEMORY_SHARE),
    // What Linux calls available: caches that it would give up are free.
    memoryBytesFree: freemem,
    startsMax: availableParallelism(),
  };
}
