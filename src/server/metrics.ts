/** What the metrics are at this moment: read from what the runtime knows anyway, and never counted a second time. */
import { NO_USAGE } from "../agent/usage.ts";
import { assert } from "../base/assert.ts";
import { LIMITS } from "../base/limits.ts";
import { journalBytesOf } from "../runtime/capacity.ts";
import type { Runtime } from "../runtime/open.ts";
import { METRICS, type Metric, type MetricName, type Sample } from "../telemetry/metrics.ts";
import type { Stats } from "./contract/fleet.ts";
import { recentOf } from "./reads.ts";
import { countsOf, statsOf } from "./stats.ts";

/** All but the histograms, which are told of each wait as it ends. */
export async function samplesOf(runtime: Runtime): Promise<Sample[]> {
  const recent = recentOf(runtime);
  const [stats, counts] = await Promise.all([statsOf(runtime, true, recent), countsOf(runtime, recent)]);
  return [
    ...fleetSamples(stats),
    ...poolSamples(stats),
    ...providerSamples(stats),
    ...throttleSamples(stats),
    ...(await journalSamples(runtime, stats)),
    ...spentSamples(runtime),
    one("banyan_processes", counts.processes),
    one("banyan_artifacts", counts.artifacts),
    one("banyan_artifact_bytes", counts.artifactBytes),
    one("process_resident_memory_bytes", stats.memoryBytes),
    one("process_cpu_seconds_total", cpuSeconds()),
  ];
}

function fleetSamples({ trees, byStatus, working, waitingForSlot, missingModels, damaged }: Stats): Sample[] {
  return [
    one("banyan_trees", trees),
    ...each("banyan_agents", "status", byStatus),
    one("banyan_agents_working", working),
    one("banyan_agents_waiting_for_slot", waitingForSlot),
    one(
      "banyan_agents_without_model",
      missingModels.reduce((sum, { agents }) => sum + agents, 0),
    ),
    one("banyan_agents_damaged", damaged.length),
  ];
}

function poolSamples({ pool }: Stats): Sample[] {
  const { ready, warming, claimed, parked, draining } = pool;
  return [
    ...each("banyan_pool_sessions", "state", { ready, warming, claimed, parked, draining }),
    one("banyan_pool_target_sessions", pool.target),
    one("banyan_pool_waiting_agents", pool.waiting),
    one("banyan_pool_starting_sessions", pool.starting),
    one("banyan_pool_starting_sessions_max", pool.startsMax),
    one("banyan_pool_memory_bytes", pool.memoryBytes),
    one("banyan_pool_memory_max_bytes", pool.memoryBytesMax),
    ...each("banyan_pool_claims_total", "from", pool.claims),
    one("banyan_pool_hit_ratio", pool.hitRatio ?? Number.NaN),
    ...each("banyan_pool_evictions_total", "reason", pool.evictions),
  ];
}

/** A figure without labels. */
function one(name: MetricName, value: number): Sample {
  return { name, labels: {}, value };
}

/** Of every value that the label can have, 0 where nothing is known of it. */
function each(name: MetricName, label: string, values: Readonly<Partial<Record<string, number>>>): Sample[] {
  const { labels }: Metric = METRICS[name];
  const all = labels?.[label];
  assert(typeof all === "object", `the values of ${label} are listed`);
  return all.map((value) => ({ name, labels: { [label]: value }, value: values[value] ?? 0 }));
}

/** Q1 of the metrics: the families that were called first are named. */
function providerSamples({ providers }: Stats): Sample[] {
  const named = providers.slice(0, LIMITS.metricFamiliesMax);
  const others = providers.slice(LIMITS.metricFamiliesMax);
  const samples: Sample[] = [];
  for (const { family, inFlight, waiting, callsMax, retriesLeft, breaker, limits } of named) {
    const add = (name: MetricName, value: number, labels: Readonly<Record<string, string>> = {}) =>
      samples.push({ name, labels: { family, ...labels }, value });
    add("banyan_provider_calls", inFlight);
    add("banyan_provider_waiting_agents", waiting);
    if (callsMax !== null) add("banyan_provider_calls_max", callsMax);
    add("banyan_provider_retries_left", retriesLeft);
    for (const state of METRICS.banyan_provider_breaker.labels.state) {
      add("banyan_provider_breaker", state === breaker ? 1 : 0, { state });
    }
    for (const { rate, limit, left } of limits) {
      add("banyan_provider_limit", limit, { rate });
      add("banyan_provider_limit_left", left, { rate });
    }
  }
  if (others.length === 0) return samples;
  const labels = { family: "other" };
  const sum = (of: (provider: Stats["providers"][number]) => number) => others.reduce((all, one) => all + of(one), 0);
  return [
    ...samples,
    { name: "banyan_provider_calls", labels, value: sum(({ inFlight }) => inFlight) },
    { name: "banyan_provider_waiting_agents", labels, value: sum(({ waiting }) => waiting) },
  ];
}

function throttleSamples({ throttled: { forks, spawns } }: Stats): Sample[] {
  const both = (of: "waiting" | "passed" | "refused") => ({ forks: forks[of], spawns: spawns[of] });
  return [
    ...each("banyan_throttle_waiting", "what", both("waiting")),
    ...each("banyan_throttle_passed_total", "what", both("passed")),
    ...each("banyan_throttle_refused_total", "what", both("refused")),
  ];
}

async function journalSamples(runtime: Runtime, { position }: Stats): Promise<Sample[]> {
  const appended = runtime.services.journal.appended?.soFar;
  return [
    one("banyan_journal_position", position),
    one("banyan_journal_bytes", await journalBytesOf(runtime)),
    ...(appended
      ? [
          one("banyan_journal_appends_total", appended.appends),
          one("banyan_journal_records_total", appended.records),
          one("banyan_journal_appended_bytes_total", appended.bytes),
        ]
      : []),
  ];
}

/** From the sums that every root has of its tree. */
function spentSamples({ coordinator: { forest } }: Runtime): Sample[] {
  const usage: Record<keyof typeof NO_USAGE, number> = { ...NO_USAGE };
  let [turns, costUsd, estimatedUsd, reservedUsd] = [0, 0, 0, 0];
  for (const { subtree } of forest.roots()) {
    turns += subtree.turns;
    costUsd += subtree.costUsd;
    estimatedUsd += subtree.estimatedUsd;
    reservedUsd += subtree.reservedUsd;
    for (const kind of METRICS.banyan_tokens_total.labels.class) usage[kind] += subtree.usage[kind];
  }
  return [
    one("banyan_turns_total", turns),
    ...each("banyan_tokens_total", "class", usage),
    one("banyan_cost_usd_total", costUsd),
    one("banyan_cost_estimated_usd", estimatedUsd),
    one("banyan_cost_reserved_usd", reservedUsd),
  ];
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}
