/** How the fleet stood, of a real runtime: across restarts, crashes and lost files it is what the journal says. */
import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { decodeEvent } from "../../src/agent/codec.ts";
import { evolve } from "../../src/agent/evolve.ts";
import type { State } from "../../src/agent/state.ts";
import { presentIsOver } from "../../src/base/event-loop.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { pick, seededRandom } from "../../src/base/random.ts";
import { history as pastOf } from "../../src/coordinator/fold.ts";
import { Banyan } from "../../src/runtime/banyan.ts";
import { openRuntime, type Runtime } from "../../src/runtime/open.ts";
import { changesIn, momentAt } from "../../src/server/history.ts";
import { ChangeWriter, headerOf } from "../../src/telemetry/changes.ts";
import { type Fleet, openFleet } from "../support/fleet.ts";

let fleet: Fleet;

beforeEach(async () => {
  fleet = await openFleet();
});

afterEach(async () => {
  await fleet[Symbol.asyncDispose]();
});

const folder = () => join(fleet.folder, "history");
const files = async () => (await readdir(folder())).filter((name) => name.endsWith(".changes"));

async function liveFor(rounds: number) {
  const lead = await fleet.lead();
  for (let round = 0; round < rounds; round++) {
    await lead.send(`round ${round}`);
    await fleet.became(lead, "waiting message");
  }
  const twin = await lead.fork({ task: "go on" });
  await fleet.became(twin, "waiting message");
  await twin.cancel();
  await lead.pause();
  return { lead, twin };
}

/** Opens the data again, for reading alone, and compares every moment with a fold of the whole journal. */
async function expectTrue(withCost = false): Promise<void> {
  const runtime = await openRuntime(fleet.folder, { readOnly: true });
  try {
    for (const time of await timesIn(runtime)) await expectMoment(runtime, time, withCost);
  } finally {
    await runtime.stop();
  }
}

async function timesIn({ coordinator: { forest }, services: { journal } }: Runtime): Promise<number[]> {
  const times = new Set<number>();
  for (const { head } of forest.nodes()) {
    for await (const records of journal.read(head.agent)) for (const { time } of records) times.add(time);
  }
  return [...times];
}

async function expectMoment(runtime: Runtime, at: number, withCost: boolean): Promise<void> {
  const { coordinator, services } = runtime;
  const moment = await momentAt(runtime.history, at);
  const cost = (usd = 0) => (withCost ? ` $${usd.toFixed(5)}` : "");
  const told = new Map(
    moment.agents.map((agent, row) => [
      agent,
      `${moment.statuses[moment.status[row] ?? 0]} ${moment.waits[moment.waiting[row] ?? -1] ?? null} ${moment.held[row]}${cost(moment.costUsd[row])}`,
    ]),
  );
  const folded = new Map<string, string>();
  for (const { head } of coordinator.forest.nodes()) {
    let state: State | undefined;
    let isBorn = false;
    for await (const records of pastOf(services.journal, head.agent)) {
      for (const { agent, seq, time, type, body } of records) {
        if (time > at) continue;
        state = evolve(agent, state, { seq, time, event: decodeEvent(type, body) });
        isBorn ||= agent === head.agent;
      }
    }
    const { status, waitingFor, held, costUsd } = state?.head ?? {};
    if (isBorn) folded.set(head.agent, `${status} ${waitingFor} ${held ? 1 : 0}${cost(costUsd)}`);
  }
  expect(told).toEqual(folded);
}

test("Z1: every moment of a fleet is as its journals say", async () => {
  await liveFor(3);
  await fleet.banyan.close();
  expect(await files()).toHaveLength(1);
  await expectTrue();
});

test("Z5: what an agent had spent is told while it goes on, by the process that worked and by the journal alike", async () => {
  // Between any two looks at the clock lies more than LIMITS.historyCostMs.
  let now = Date.UTC(2026, 0);
  const clock = vi.spyOn(Date, "now").mockImplementation(() => {
    now += LIMITS.historyCostMs + 1_000;
    return now;
  });
  try {
    const lead = await fleet.lead();
    const ran = fleet.became(lead, "running");
    await lead.send("write report of a week");
    await ran;
    await fleet.became(lead, "waiting message");
    await fleet.banyan.close();
    await expectTrue(true);
    await rm(folder(), { recursive: true });
    await expectTrue(true);
  } finally {
    clock.mockRestore();
  }
});

test("Z2, Z3: what a crash cut off is folded from the journal, and kept", async () => {
  await liveFor(3);
  await fleet.banyan.close();
  const [name = ""] = await files();
  const { length } = await readFile(join(folder(), name));
  await truncate(join(folder(), name), length - 30);
  await expectTrue();
  const again = await Banyan.open(fleet.folder, { models: [fleet.model] });
  await momentAt(again.runtime.history, 0);
  await again.close();
  expect(await files()).not.toContain(name);
  await expectTrue();
});

test("Z3: data without any history has one", async () => {
  await liveFor(2);
  await fleet.banyan.close();
  await rm(folder(), { recursive: true });
  await expectTrue();
  const again = await Banyan.open(fleet.folder, { models: [fleet.model] });
  await momentAt(again.runtime.history, 0);
  expect(await files()).toHaveLength(1);
  await again.close();
  await expectTrue();
});

/** What rewinds took back, as the history tells it and as the journal alone does. */
async function expectRewinds(atLeast: number): Promise<void> {
  const runtime = await openRuntime(fleet.folder, { readOnly: true });
  try {
    const told: string[] = [];
    for await (const [piece] of changesIn(runtime.history)) {
      for (const { change, to } of piece?.rewinds ?? []) {
        told.push(`${piece?.agent[change]} from ${piece?.time[change]} to ${to}`);
      }
    }
    const agents: string[] = [];
    for await (const [piece] of changesIn(runtime.history)) agents.push(...(piece?.agents ?? []));
    const found: string[] = [];
    for (const { head } of runtime.coordinator.forest.nodes()) {
      const times: [number, number][] = [];
      for await (const records of runtime.services.journal.read(head.agent)) {
        for (const { seq, time, type, body } of records) {
          times.push([seq, time]);
          const event = decodeEvent(type, body);
          if (event.type !== "agent.rewound") continue;
          const [, to] = times.find(([own]) => own >= event.to) ?? [];
          found.push(`${agents.indexOf(head.agent)} from ${time} to ${to}`);
        }
      }
    }
    expect(told.sort()).toEqual(found.sort());
    expect(found.length).toBeGreaterThanOrEqual(atLeast);
  } finally {
    await runtime.stop();
  }
}

/** Sends, rewinds, forks and holds as drawn; every moment has a millisecond of its own. */
async function wander(seed: number, steps: number): Promise<void> {
  const random = seededRandom(seed);
  const agents = [await fleet.lead()];
  for (let step = 0; step < steps; step++) {
    const agent = pick(random, agents);
    const { entries } = await fleet.banyan.runtime.coordinator.state(agent.id);
    const ends = [...Array(entries.length).keys()].map((index) => entries.at(index)?.seq ?? 0);
    const draw = random.next();
    if (draw < 0.35) await agent.send(`step ${step}`);
    else if (draw < 0.85) await agent.rewind(pick(random, [0, ...ends]));
    else {
      const fork = await agent.fork({ task: "go on" });
      agents.push(fork);
      await fleet.became(fork, "waiting message");
    }
    await fleet.became(agent, "waiting message");
  }
}

test.each([1, 2, 3])(
  "Z7: what rewinds took back is told as the journal has it, live and folded (seed %i)",
  async (seed) => {
    let now = Date.UTC(2026, 0);
    const clock = vi.spyOn(Date, "now").mockImplementation(() => {
      now += 7;
      return now;
    });
    try {
      await wander(seed, 14);
      await fleet.banyan.close();
      await expectRewinds(3);
      await expectTrue();
      await rm(folder(), { recursive: true });
      await expectRewinds(3);
      await expectTrue();
    } finally {
      clock.mockRestore();
    }
  },
);

test("X3: a file of the earlier format is not believed, and one of this format takes its place", async () => {
  await wander(4, 8);
  await fleet.banyan.close();
  const [name = ""] = await files();
  const bytes = await readFile(join(folder(), name));
  bytes.write("BANYCHG1", "latin1");
  // What it tells is no longer true of anybody, and it says that it covers everything.
  const writer = new ChangeWriter();
  await writeFile(
    join(folder(), name),
    Buffer.concat([bytes.subarray(0, headerOf(0).length), writer.bytesOf({ changes: [], position: 1e9 })]),
  );
  await expectTrue();
  await expectRewinds(1);
  const again = await Banyan.open(fleet.folder, { models: [fleet.model] });
  await momentAt(again.runtime.history, 0);
  await again.close();
  expect(await files()).not.toContain(name);
  expect((await files()).length).toBeGreaterThan(0);
  await expectTrue();
  await expectRewinds(1);
});

test("history is told of those alone that are asked for", async () => {
  const { twin } = await liveFor(1);
  const agents: string[] = [];
  for await (const [piece] of changesIn(fleet.banyan.runtime.history, [twin.id])) agents.push(...(piece?.agents ?? []));
  expect(agents).toEqual([twin.id]);
});

test("Z6: while a past is folded others have their turn", async () => {
  for (let agent = 0; agent < 16; agent++) await liveFor(5);
  await fleet.banyan.close();
  await rm(folder(), { recursive: true });
  const runtime = await openRuntime(fleet.folder, { readOnly: true });
  const { journal } = runtime.services;
  let [all, since, most] = [0, 0, 0];
  const read = journal.read.bind(journal);
  vi.spyOn(journal, "read").mockImplementation(async function* (agent, range) {
    for await (const records of read(agent, range)) {
      all += records.length;
      since += records.length;
      most = Math.max(most, since);
      yield records;
    }
  });
  let isAsking = true;
  const others = (async () => {
    for (; isAsking; since = 0) await presentIsOver();
  })();
  try {
    await momentAt(runtime.history, 0);
  } finally {
    isAsking = false;
    await others;
    await runtime.stop();
  }
  expect(all).toBeGreaterThan(700);
  // The turn of whoever waits may come one later.
  expect(most).toBeLessThan(350);
});

test("many processes leave a few files", async () => {
  const { lead } = await liveFor(1);
  await fleet.banyan.close();
  for (let process = 0; process < 10; process++) {
    const again = await Banyan.open(fleet.folder, { models: [fleet.model] });
    const agent = again.agent(lead.id);
    await (process % 2 === 0 ? agent.resume() : agent.pause());
    await again.close();
  }
  expect((await files()).length).toBeGreaterThan(8);
  const last = await Banyan.open(fleet.folder, { models: [fleet.model] });
  await momentAt(last.runtime.history, 0);
  await last.close();
  expect((await files()).length).toBeLessThanOrEqual(2);
  await expectTrue();
});

test("files that a crash left twice, and what is no file of ours, harm nothing", async () => {
  await liveFor(2);
  await fleet.banyan.close();
  const [name = ""] = await files();
  await copyFile(join(folder(), name), join(folder(), name.replace(/-.*/, "-0000000000000000.changes")));
  await writeFile(join(folder(), "0000000000000000-aaaaaaaaaaaaaaaa.changes"), "none of ours");
  await writeFile(join(folder(), "note.txt"), "nor this");
  await expectTrue();
});

test("Z2: a disk that refuses holds up nothing, and the journal tells all the same", async () => {
  // A file stands where the folder should be.
  await rm(folder(), { recursive: true, force: true });
  await writeFile(folder(), "in the way");
  const { lead } = await liveFor(1);
  await fleet.banyan.close();
  await rm(folder());
  await mkdir(folder());
  const again = await Banyan.open(fleet.folder, { models: [fleet.model] });
  expect(again.agent(lead.id).status).toBe("held");
  await again.close();
  await expectTrue();
});
