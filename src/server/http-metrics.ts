/**
 * `GET /metrics`: the metrics in Prometheus' text format, for whoever has a token; a viewer's is enough.
 *
 * M1  However many ask at once, the figures are gathered once at a time, and all of an answer are of one moment.
 * M2  Watching the process costs it nothing while nobody asks, but for a histogram's count a claim of a session and an append.
 */
import type { FastifyInstance } from "fastify";
import type { Runtime } from "../runtime/open.ts";
import { BUCKETS, METRICS, type Metric, type MetricName } from "../telemetry/metrics.ts";
import type { Guard } from "./http-guard.ts";
import { samplesOf } from "./metrics.ts";

export interface MetricsOptions {
  readonly runtime: Runtime;
  readonly guard: Guard;
}

export async function serveMetrics(server: FastifyInstance, { runtime, guard }: MetricsOptions): Promise<void> {
  // Commands that serve nothing start without it.
  const { Counter, Gauge, Histogram, Registry } = await import("prom-client");
  const registry = new Registry();
  const registers = [registry];
  const waitsOf = (name: keyof typeof BUCKETS) => {
    const histogram = new Histogram({ name, help: METRICS[name].says, buckets: [...BUCKETS[name]], registers });
    return (waitMs: number) => histogram.observe(waitMs / 1_000);
  };
  const forget = [
    runtime.coordinator.watchClaimWaits(waitsOf("banyan_pool_claim_wait_seconds")),
    runtime.services.journal.appended?.watch(waitsOf("banyan_journal_append_seconds")),
  ];
  server.addHook("onClose", async () => {
    for (const each of forget) each?.();
  });

  const gauges = new Map<MetricName, InstanceType<typeof Gauge>>();
  const counters = new Map<MetricName, InstanceType<typeof Counter>>();
  for (const [name, { is, says, labels = {} }] of Object.entries<Metric>(METRICS)) {
    const configuration = { name, help: says, labelNames: Object.keys(labels), registers };
    if (is === "gauge") gauges.set(name as MetricName, new Gauge(configuration));
    if (is === "counter") counters.set(name as MetricName, new Counter(configuration));
  }

  const gather = async () => {
    const samples = await samplesOf(runtime);
    // What is gone since is not told any more. The totals are the runtime's own: nothing is counted here.
    for (const figure of [...gauges.values(), ...counters.values()]) figure.reset();
    for (const { name, labels, value } of samples) {
      gauges.get(name)?.set(labels, value);
      counters.get(name)?.inc(labels, value);
    }
    return registry.metrics();
  };
  let gathering: Promise<string> | undefined;
  server.get("/metrics", async (request, reply) => {
    guard.identify(request);
    gathering ??= gather().finally(() => {
      gathering = undefined;
    });
    return reply.type(registry.contentType).send(await gathering);
  });
}
