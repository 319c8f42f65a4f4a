/**
 * The metrics of a process that runs agents: names, kinds and labels, from which both the endpoint and docs/metrics.md are made.
 *
 * Q1  The values of every label are bounded, whatever agents do: no label is an agent, a tree, a tenant or a process.
 * Q2  Names say their unit (`_seconds`, `_bytes`, `_usd`), and `_total` where a figure only grows.
 */
import { STATUSES } from "../agent/status.ts";

export interface Metric {
  readonly is: "gauge" | "counter" | "histogram";
  readonly says: string;
  /** Each label: all its values, or where they come from. */
  readonly labels?: Readonly<Record<string, readonly string[] | string>>;
}

const FAMILY = "family of models, such as `anthropic/claude-opus-4`; `other` for those over `metricFamiliesMax`";
const THROTTLED = { what: ["forks", "spawns"] };

export const METRICS = {
  banyan_trees: { is: "gauge", says: "Trees." },
  banyan_agents: {
    is: "gauge",
    says: "Agents by the status that they show: one that a hold covers is held.",
    labels: { status: STATUSES },
  },
  banyan_agents_working: { is: "gauge", says: "Agents with a slot to work." },
  banyan_agents_waiting_for_slot: { is: "gauge", says: "Agents that wait for a slot." },
  banyan_agents_without_model: {
    is: "gauge",
    says: "Living agents whose model nobody registered: they wait until somebody does.",
  },
  banyan_agents_damaged: { is: "gauge", says: "Agents that could not be read when the data was opened." },
  banyan_pool_sessions: {
    is: "gauge",
    says: "Sessions that cost something, by what they do. Agents of the `model` driver have none.",
    labels: { state: ["ready", "warming", "claimed", "parked", "draining"] },
  },
  banyan_pool_target_sessions: { is: "gauge", says: "Ready sessions that the autoscaler wants." },
  banyan_pool_waiting_agents: { is: "gauge", says: "Agents that wait for a session." },
  banyan_pool_starting_sessions: { is: "gauge", says: "Starts of sessions under way." },
  banyan_pool_starting_sessions_max: { is: "gauge", says: "Starts of sessions that may be under way at once." },
  banyan_pool_memory_bytes: { is: "gauge", says: "Memory that is charged for all sessions." },
  banyan_pool_memory_max_bytes: { is: "gauge", says: "Its bound." },
  banyan_pool_claims_total: {
    is: "counter",
    says: "Claims that were met, by what met them: the agent's own session, a ready one, one that was waited for, a cold one.",
    labels: { from: ["parked", "ready", "waited", "cold"] },
  },
  banyan_pool_hit_ratio: {
    is: "gauge",
    says: "Share of claims since the start that a parked or ready session met at once; NaN before the first claim.",
  },
  banyan_pool_claim_wait_seconds: {
    is: "histogram",
    says: "From asking for a session to one that has started, or to the refusal.",
  },
  banyan_pool_evictions_total: {
    is: "counter",
    says: "Sessions that were closed, by why.",
    labels: { reason: ["ended", "idle", "age", "changed", "unhealthy", "memory", "surplus", "stopped"] },
  },
  banyan_provider_calls: { is: "gauge", says: "Calls in flight.", labels: { family: FAMILY } },
  banyan_provider_calls_max: {
    is: "gauge",
    says: "Calls that may be in flight; absent while nothing bounds them.",
    labels: { family: FAMILY },
  },
  banyan_provider_waiting_agents: {
    is: "gauge",
    says: "Agents that wait for room at the provider.",
    labels: { family: FAMILY },
  },
  banyan_provider_limit: {
    is: "gauge",
    says: "What the provider allows in one period of its limit, as it tells it.",
    labels: { family: FAMILY, rate: ["requests", "inputTokens", "outputTokens", "tokens"] },
  },
  banyan_provider_limit_left: {
    is: "gauge",
    says: "What is left of that now; below 0 when more was used than was foreseen.",
    labels: { family: FAMILY, rate: ["requests", "inputTokens", "outputTokens", "tokens"] },
  },
  banyan_provider_breaker: {
    is: "gauge",
    says: "1 for the state of the breaker: open while calls are held back because the provider is overloaded, half open while one tries.",
    labels: { family: FAMILY, state: ["closed", "open", "halfOpen"] },
  },
  banyan_provider_retries_left: {
    is: "gauge",
    says: "Failed calls that may be made again now.",
    labels: { family: FAMILY },
  },
  banyan_throttle_waiting: { is: "gauge", says: "Forks and spawns that wait for their turn.", labels: THROTTLED },
  banyan_throttle_passed_total: { is: "counter", says: "Forks and spawns that had it.", labels: THROTTLED },
  banyan_throttle_refused_total: {
    is: "counter",
    says: "Forks and spawns that were told `THROTTLED`.",
    labels: THROTTLED,
  },
  banyan_journal_position: { is: "gauge", says: "Where the order of all records stands." },
  banyan_journal_bytes: { is: "gauge", says: "The journal's files on disk." },
  banyan_journal_appends_total: { is: "counter", says: "Appends that this process was told are durable." },
  banyan_journal_records_total: { is: "counter", says: "Records in them." },
  banyan_journal_appended_bytes_total: { is: "counter", says: "Bytes in them, before compression and indexes." },
  banyan_journal_append_seconds: {
    is: "histogram",
    says: "From asking for an append to the acknowledgement that it is durable: what each step of an agent waits for.",
  },
  banyan_turns_total: { is: "counter", says: "Turns of all agents, since the data began." },
  banyan_tokens_total: {
    is: "counter",
    says: "Their tokens; `input` excludes what was read from or written to the prompt cache.",
    labels: { class: ["input", "output", "cacheRead", "cacheWrite"] },
  },
  banyan_cost_usd_total: { is: "counter", says: "What they cost." },
  banyan_cost_estimated_usd: { is: "gauge", says: "The part of it that is an upper bound." },
  banyan_cost_reserved_usd: { is: "gauge", says: "Reserved for calls in flight." },
  banyan_processes: { is: "gauge", says: "Background processes of agents that run, or wait to be started again." },
  banyan_artifacts: { is: "gauge", says: "Names of artifacts." },
  banyan_artifact_bytes: {
    is: "gauge",
    says: "What they stand for; a content that two names stand for counts twice, and is stored once.",
  },
  process_resident_memory_bytes: { is: "gauge", says: "Resident memory of the process." },
  process_cpu_seconds_total: { is: "counter", says: "Processor time of the process." },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof METRICS;

/** One figure of one moment. */
export interface Sample {
  readonly name: MetricName;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Upper bounds of the histograms' counts, in seconds: from a session that is at hand to LIMITS.poolWaitMsMax, and from a fast disk to a hung one. */
export const BUCKETS = {
  banyan_pool_claim_wait_seconds: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
  banyan_journal_append_seconds: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
} as const satisfies Readonly<Partial<Record<MetricName, readonly number[]>>>;
