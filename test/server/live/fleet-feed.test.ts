/** The live feed of a real fleet, in time that the test moves. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../src/base/clock.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { type AgentColumns, type FleetFrame, fleetFrame } from "../../../src/server/contract/fleet-frames.ts";
import { messageData } from "../../../src/server/http-streams.ts";
import { type FeedOptions, FleetFeed } from "../../../src/server/live/fleet-feed.ts";
import { Roll } from "../../../src/server/live/roll.ts";
import { spawning } from "../../../src/tools/kits.ts";
import { type Fleet, openFleet } from "../../support/fleet.ts";

let fleet: Fleet;
let clock: ManualClock;
let gone: AbortController;

beforeEach(async () => {
  fleet = await openFleet();
  clock = new ManualClock();
  gone = new AbortController();
});

afterEach(async () => {
  gone.abort();
  await fleet[Symbol.asyncDispose]();
});

function open(options: Partial<FeedOptions> = {}): FleetFeed {
  const { coordinator, services } = fleet.banyan.runtime;
  return new FleetFeed({ coordinator, clock, position: () => services.journal.position(), ...options });
}

/** What a reader of the feed knows. */
class Mirror {
  readonly #frames: ReturnType<FleetFeed["read"]>;
  columns: AgentColumns | undefined;
  total = 0;
  omitted = 0;
  place: number | undefined;
  readonly kinds: string[] = [];

  constructor(feed: FleetFeed, after?: number) {
    this.#frames = feed.read(gone.signal, after);
  }

  /** Takes the next frame. */
  async take(): Promise<FleetFrame> {
    const { value } = await this.#frames.next();
    if (!value) throw new Error("the feed has ended");
    const frame = fleetFrame.parse(messageData(value.bytes));
    this.place = value.place ?? this.place;
    this.kinds.push(frame.kind);
    if (frame.kind === "agents") {
      this.columns = frame.from === 0 ? frame.agents : joined(this.columns, frame.agents);
      this.total = frame.total;
      this.omitted = frame.omitted;
    }
    if (frame.kind === "changes") {
      if (frame.born) this.columns = joined(this.columns, frame.born);
      const { agent = [], ...values } = frame.rows ?? {};
      for (const [column, items] of Object.entries(values)) {
        const known = this.columns?.[column as "turns"] as unknown[];
        for (const [row, ordinal] of agent.entries()) known[ordinal] = items[row];
      }
    }
    return frame;
  }

  /** Lets a frame be made, and takes it. */
  async next(): Promise<FleetFrame> {
    const taken = this.take();
    await Promise.resolve();
    clock.advance(LIMITS.feedFrameMs);
    return taken;
  }

  async leave(): Promise<void> {
    await this.#frames.return(undefined);
  }
}

function joined(before: AgentColumns | undefined, more: AgentColumns): AgentColumns {
  if (!before) return more;
  const columns = Object.keys(more) as (keyof AgentColumns)[];
  return Object.fromEntries(columns.map((name) => [name, [...before[name], ...more[name]]])) as AgentColumns;
}

/** What the forest says, in the order of the mirror. */
function truth(order: readonly string[]): Record<string, unknown>[] {
  const roll = new Roll(fleet.banyan.runtime.coordinator.forest, Number.POSITIVE_INFINITY);
  const rows = rowsOf(roll.columns(0, roll.count));
  return order.map((id) => rows.find((row) => row.id === id) ?? {});
}

/** Ordinals as ids, so that feeds of different orders compare. */
function rowsOf(columns: AgentColumns | undefined): Record<string, unknown>[] {
  if (!columns) return [];
  const named = (ordinal = -1) => columns.id[ordinal] ?? null;
  return columns.id.map((id, row) => ({
    ...Object.fromEntries(Object.entries(columns).map(([name, items]) => [name, items[row]])),
    id,
    parent: named(columns.parent[row]),
    forkOf: named(columns.forkOf[row]),
  }));
}

function expectTrue({ columns }: Mirror): void {
  expect(rowsOf(columns)).toEqual(truth(columns?.id ?? []));
  expect(columns?.id.length).toBe(fleet.banyan.runtime.coordinator.forest.size);
  // O1.
  for (const [ordinal, parent] of (columns?.parent ?? []).entries()) expect(parent).toBeLessThan(ordinal);
}

test("E1: all agents, then what changes; what a reader knows is what the forest says", async () => {
  const lead = await fleet.lead();
  const mirror = new Mirror(open());
  expect(await mirror.take()).toMatchObject({ kind: "agents", from: 0, total: 1, omitted: 0 });
  expectTrue(mirror);
  await lead.send("again");
  await fleet.became(lead, "waiting message");
  const twin = await lead.fork({ task: "more", budget: { costUsd: 0.000_001 } });
  await fleet.became(twin, "failed");
  expect(await mirror.next()).toMatchObject({ kind: "changes" });
  expectTrue(mirror);
  const at = mirror.columns?.id.indexOf(twin.id) ?? -1;
  expect(mirror.columns?.problem[at]).toContain("BUDGET_EXHAUSTED");
  expect(mirror.columns?.forkOf[at]).toBe(0);
});

test("O3: a hold is told of all below it", async () => {
  const lead = await fleet.lead();
  const { model } = fleet;
  const child = await lead.spawn({ name: "child", model, task: "wait", tools: [spawning()] });
  await fleet.became(child, "running");
  const mirror = new Mirror(open());
  await mirror.take();
  await lead.pause();
  await mirror.next();
  expectTrue(mirror);
  const { columns } = mirror;
  expect(columns?.hold).toEqual([1, 0]);
  expect(new Set(columns?.status).size).toBe(1);
  await lead.resume();
  await mirror.next();
  expectTrue(mirror);
});

test("E4: a beat when nothing happens", async () => {
  await fleet.lead();
  const mirror = new Mirror(open());
  await mirror.take();
  const taken = mirror.take();
  for (let ms = 0; ms <= LIMITS.feedBeatMs; ms += LIMITS.feedFrameMs) {
    await new Promise(setImmediate);
    clock.advance(LIMITS.feedFrameMs);
  }
  expect(await taken).toMatchObject({ kind: "beat" });
});

test("E2: a reader that is too slow is told, and given all agents again", async () => {
  const lead = await fleet.lead();
  const feed = open({ bytesMax: 1 });
  const slow = new Mirror(feed);
  await slow.take();
  for (let round = 0; round < 3; round++) {
    await lead.send("again");
    await fleet.became(lead, "waiting message");
    clock.advance(LIMITS.feedFrameMs);
  }
  for (let frame = 0; frame < 2; frame++) await slow.take();
  expect(slow.kinds).toEqual(["agents", "missed", "agents"]);
  expectTrue(slow);
});

test("a reader that comes back goes on where it was, and with a place of another feed begins anew", async () => {
  const lead = await fleet.lead();
  const feed = open();
  const [steady, first] = [new Mirror(feed), new Mirror(feed)];
  await steady.take();
  await first.take();
  await first.leave();
  await lead.send("again");
  await fleet.became(lead, "waiting message");
  await steady.next();
  const back = new Mirror(feed, first.place);
  back.columns = first.columns;
  expect(await back.take()).toMatchObject({ kind: "changes" });
  expectTrue(back);
  for (const place of [0, (steady.place ?? 0) + 10]) {
    const other = new Mirror(feed, place);
    expect(await other.take()).toMatchObject({ kind: "agents" });
  }
});

test("E3: while nobody reads nothing is made", async () => {
  await fleet.lead();
  const mirror = new Mirror(open());
  await mirror.take();
  expect(clock.pending).toBe(1);
  await mirror.leave();
  expect(clock.pending).toBe(0);
});

test("ended trees beyond the limit are left out, and come in whole when something of them changes", async () => {
  const ended = [];
  for (const name of ["a", "b", "c"]) ended.push(await fleet.banyan.spawn({ name, model: fleet.model, task: "hello" }));
  for (const agent of ended) await fleet.became(agent, "completed");
  const lead = await fleet.lead();
  const mirror = new Mirror(open({ agentsMax: 2 }));
  expect(await mirror.take()).toMatchObject({ total: 2, omitted: 2 });
  expect(mirror.columns?.name).toEqual(["c", "lead"]);
  await ended[0]?.send("more");
  await fleet.became(lead, "waiting message");
  await mirror.next();
  expect(mirror.columns?.name).toEqual(["c", "lead", "a"]);
});

test("a feed that has grown to twice the limit begins anew", async () => {
  const mirror = new Mirror(open({ agentsMax: 1 }));
  await mirror.take();
  for (const name of ["a", "b", "c"]) {
    const agent = await fleet.banyan.spawn({ name, model: fleet.model, task: "hello" });
    await fleet.became(agent, "completed");
  }
  const kinds = [];
  for (let frame = 0; frame < 2; frame++) kinds.push((await mirror.next()).kind);
  expect(kinds).toEqual(["missed", "agents"]);
  expect(mirror).toMatchObject({ total: 1, omitted: 2 });
});
