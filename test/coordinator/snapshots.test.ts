/** Agents that come back from snapshots: the same as from all of their events, and reading less. */
import { expect, test } from "vitest";
import type { AgentId } from "../../src/base/ids.ts";
import { foldAgent } from "../../src/coordinator/fold.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { asks, cast } from "../support/cast.ts";
import { intercept } from "../support/journals.ts";
import { plain } from "../support/journeys.ts";
import { probe } from "../support/probe.ts";
import { quiet, World } from "../support/world.ts";

const TURNS = 60;
const snapshotTailMin = 2_000;

/** An agent of many turns, at rest, with snapshots on the way. */
async function lived() {
  const world = new World();
  const replies = Array.from({ length: TURNS }, () => asks(["work"]));
  const model = cast({ lead: [...replies, "done"] });
  const life = await world.open({ models: [model], tools: [probe("work")], snapshotTailMin });
  const lead = await life.spawn("lead", { tools: ["work"] });
  expect(await life.outcome(lead)).toBe("done");
  await quiet(world);
  return { world, life, lead };
}

test("a state is the same from a snapshot as from all events, now, at every event before, and of forks", async () => {
  const { world, life, lead } = await lived();
  expect(world.snapshots.get(lead)?.size).toBe(2);
  const { journal, snapshots } = life.services;
  const fork = await life.coordinator.fork(lead, { task: "on" });
  await quiet(world);
  for (const agent of [lead, fork]) {
    for (let at = life.head(agent).seq; at > 0; at -= 1) {
      const [quick, slow] = [
        await foldAgent({ journal, snapshots }, agent, at),
        await foldAgent({ journal }, agent, at),
      ];
      expect(plain(quick.state)).toEqual(plain(slow.state));
      expect(quick.size).toBe(slow.size);
    }
  }
});

test("restoring reads the newest snapshot and what came after it", async () => {
  const { world, lead } = await lived();
  const newest = Math.max(...(world.snapshots.get(lead)?.keys() ?? []));
  let records = 0;
  const around = (journal: Journal) => {
    const counted = intercept(journal, {});
    counted.read = async function* (agent: AgentId, range) {
      for await (const batch of journal.read(agent, range)) {
        records += batch.length;
        yield batch;
      }
    };
    return counted;
  };
  const again = await world.open({ around });
  const { head } = await again.state(lead);
  // One more to see that the snapshot is of this journal.
  expect(records).toBe(head.seq - newest + 1);
});

test("a snapshot that is damaged or of another journal is passed over and told of; the one before it serves", async () => {
  const { world, lead } = await lived();
  const known = world.snapshots.get(lead) ?? new Map<number, readonly Buffer[]>();
  const [newest = 0, older = 0] = [...known.keys()].sort((a, b) => b - a);
  const [header, ...blocks] = known.get(newest) ?? [];
  known.set(newest, [Buffer.from(String(header).replace('"record":"', '"record":"0')), ...blocks]);
  const again = await world.open();
  const state = await again.state(lead);
  const { journal } = again.services;
  expect(plain(state)).toEqual(plain((await foldAgent({ journal }, lead)).state));
  expect(again.faults).toMatchObject([{ agent: lead, error: { code: "SNAPSHOT_DAMAGED" } }]);
  known.set(older, []);
  const last = await world.open();
  expect(plain(await last.state(lead))).toEqual(plain(state));
  expect(last.faults.length).toBe(2);
});
