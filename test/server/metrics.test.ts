/** What the metrics say of known scenarios. */
import fastify from "fastify";
import parse from "parse-prometheus-text-format";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import type { PoolEvent } from "../../src/coordinator/pool/events.ts";
import { EVICTIONS } from "../../src/coordinator/pool/member.ts";
import type { Runtime } from "../../src/runtime/open.ts";
import type { Guard } from "../../src/server/http-guard.ts";
import { serveMetrics } from "../../src/server/http-metrics.ts";
import { samplesOf } from "../../src/server/metrics.ts";
import { recentOf } from "../../src/server/reads.ts";
import { statsOf } from "../../src/server/stats.ts";
import { METRICS } from "../../src/telemetry/metrics.ts";
import { cast } from "../support/cast.ts";
import { CostlyDriver } from "../support/sessions.ts";
import { type Life, quiet, World } from "../support/world.ts";

/** As much of a runtime as is asked here. */
function runtimeOf({ services, coordinator, recovery }: Life): Runtime {
  return { services, coordinator, recovery, folder: "no such folder" } as unknown as Runtime;
}

async function openWithSessions() {
  const world = new World();
  const answers = cast({ chat: ({ said }) => `answer ${said}` });
  let driver: CostlyDriver | undefined;
  const life = await world.open({
    models: [answers],
    pool: { memoryBytesMax: 300, startsMax: 1, ready: 1 },
    aroundDriver: (inner) => {
      driver = new CostlyDriver({ clock: world.clock, inner, startMs: 600 });
      return driver;
    },
  });
  const events: PoolEvent[] = [];
  life.coordinator.watchPool((event) => events.push(event));
  const server = fastify();
  await serveMetrics(server, { runtime: runtimeOf(life), guard: { identify: () => undefined } as unknown as Guard });
  /** Lets milliseconds pass, and what follows from them happen. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 100) {
      await quiet(world);
      world.clock.advance(Math.min(100, left));
    }
    await quiet(world);
  };
  return { world, life, events, server, pass };
}

test("pool events, stats and metrics tell ready, target, warming, claim wait p50/p99, hit ratio and evictions by reason", async () => {
  const { life, events, server, pass } = await openWithSessions();
  // The first one starts cold; then one is kept ready.
  const a = await life.spawn("chat", { mode: "chat" });
  await pass(600);
  expect(life.coordinator.pool).toMatchObject({ ready: 0, target: 1, warming: 1, parked: 1 });
  await pass(700);
  // The second one finds it; another is warmed in its place.
  const b = await life.spawn("chat", { mode: "chat" });
  await pass(700);
  // The first one finds what it left.
  await life.control.send(a, "and?");
  await pass(700);
  // The third one takes the ready session: the memory for another is had from nobody that rests.
  const c = await life.spawn("chat", { mode: "chat" });
  await pass(700);
  // The fourth one waits until a parked session is closed for it, and starts cold.
  const d = await life.spawn("chat", { mode: "chat" });
  await pass(1_500);
  // An agent that ends takes its session with it.
  await life.control.cancel(c);
  await pass(200);

  const runtime = runtimeOf(life);
  const { pool } = await statsOf(runtime, true, recentOf(runtime));
  expect([a, b, c, d].map((agent) => life.status(agent))).toEqual(["waiting", "waiting", "cancelled", "waiting"]);
  expect(pool).toMatchObject({
    ...{ ready: 0, target: 1, warming: 1, claimed: 0, parked: 2 },
    claims: { cold: 2, ready: 2, parked: 1, waited: 0 },
    hitRatio: 3 / 5,
    // Two waited for a start of 600 ms, three for nothing.
    claimWaitMs: { p50: 0, p99: 600 },
    evictions: { memory: 1, ended: 1 },
  });

  const types = new Set(events.map(({ type }) => type));
  expect([...types].sort()).toEqual([
    "claimed",
    "evicted",
    "parked",
    "ready",
    "started",
    "target",
    "waiting",
    "warming",
  ]);
  const evicted = events.flatMap((event) => (event.type === "evicted" ? [event.why] : []));
  expect(evicted.sort()).toEqual(["ended", "memory"]);

  const families = parse((await server.inject("/metrics")).body);
  const metricsOf = (name: keyof typeof METRICS) => families.find((family) => family.name === name)?.metrics ?? [];
  const byLabel = (name: keyof typeof METRICS, label: string) =>
    Object.fromEntries(metricsOf(name).map(({ labels, value }) => [labels?.[label], Number(value)]));
  const { ready, warming, claimed, parked, draining } = pool;
  expect(byLabel("banyan_pool_sessions", "state")).toEqual({ ready, warming, claimed, parked, draining });
  expect(metricsOf("banyan_pool_target_sessions")).toMatchObject([{ value: "1" }]);
  expect(metricsOf("banyan_pool_hit_ratio")).toMatchObject([{ value: "0.6" }]);
  expect(byLabel("banyan_pool_claims_total", "from")).toEqual(pool.claims);
  const none = Object.fromEntries(EVICTIONS.map((why) => [why, 0]));
  expect(byLabel("banyan_pool_evictions_total", "reason")).toEqual({ ...none, memory: 1, ended: 1 });
  const [wait] = metricsOf("banyan_pool_claim_wait_seconds");
  expect(wait).toMatchObject({ count: "5", sum: "1.2", buckets: { "0.001": "3", "0.5": "3", "1": "5", "+Inf": "5" } });
  await life.stop();
  await server.close();
});

test("Q1: families of models over metricFamiliesMax are told together", async () => {
  const world = new World();
  const count = LIMITS.metricFamiliesMax + 3;
  const models = Array.from({ length: count }, (_, index) => cast({ lead: ["done"] }, { modelId: `m${index}` }));
  const life = await world.open({ models });
  for (const { modelId: model } of models) {
    await life.outcome(
      await life.spawn("lead", { execution: { driver: "model", provider: "test", model, outputTokensMax: 100 } }),
    );
  }
  const samples = await samplesOf(runtimeOf(life));
  const families = samples.flatMap(({ name, labels }) => (name === "banyan_provider_calls" ? [labels.family] : []));
  expect(families).toHaveLength(LIMITS.metricFamiliesMax + 1);
  expect([families[0], families.at(-1)]).toEqual(["test/m0", "other"]);
  await life.stop();
});

test("every reason for which sessions are closed is one of the metric's", () => {
  expect([...METRICS.banyan_pool_evictions_total.labels.reason].sort()).toEqual([...EVICTIONS].sort());
});
