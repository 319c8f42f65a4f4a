/**
 * The pool under the arrivals of a real trace: an agent for each, each with a session that takes 0.6 s to start. The autoscaler stands
 * beside a pool of a fixed size that is as large as the autoscaler's was on average. Time is simulated; one JSON line a run.
 *
 * `node bench/pool.ts [--trace FILE] [--starts 2,8,32,1000]`   sessions that may start at once: the cores, where a start is a processor's
 */
import { parseArgs } from "node:util";
import { quantile } from "./core/figures.ts";
import { type PoolRun, runTrace } from "./pool/run.ts";
import { readTrace } from "./pool/trace.ts";

const { values } = parseArgs({
  options: {
    trace: { type: "string", default: "../shared/data/trace_azure2023_code.csv.gz" },
    starts: { type: "string", default: "8,16,32,1000" },
  },
});

const trace = await readTrace(values.trace);
if (!trace) {
  console.error(`There is no trace at ${values.trace}: give the path of trace_azure2023_code.csv.gz with --trace.`);
  process.exitCode = 1;
} else {
  for (const startsMax of values.starts.split(",").map(Number)) {
    const scaled = await runTrace(trace, { startsMax });
    tell("autoscaler", startsMax, scaled);
    const ready = Math.max(1, Math.round(scaled.poolMean));
    tell(`fixed ${ready}`, startsMax, await runTrace(trace, { startsMax, ready }));
  }
}

function tell(pool: string, startsMax: number, { agents, hitRatio, waitMs, poolMean, poolMost }: PoolRun): void {
  const at = (share: number) => Math.round(quantile(waitMs, share));
  const waits = { waitMsP50: at(0.5), waitMsP95: at(0.95), waitMsP99: at(0.99), waitMsMost: at(1) };
  const sizes = { poolMean: Number(poolMean.toFixed(1)), poolMost };
  console.log(JSON.stringify({ pool, startsMax, agents, hitRatio: Number(hitRatio.toFixed(4)), ...waits, ...sizes }));
}
