/**
 * Fleets at rest: what opening and steering them may cost is counted, not timed. More agents by SIZE_AGENTS; timings stand in
 * docs/performance.md.
 */
import { expect, test } from "vitest";
import { mixOf, plantIn, type Tree } from "../../bench/size/grove.ts";
import { Forest } from "../../src/agent/forest.ts";
import type { Head } from "../../src/agent/state.ts";
import { hasEnded } from "../../src/agent/status.ts";
import type { AgentId } from "../../src/base/ids.ts";
import { MemoryBlobs } from "../../src/blobs/memory/memory-blobs.ts";
import { Places } from "../../src/coordinator/places.ts";
import { MemoryJournal } from "../../src/journal/memory/memory-journal.ts";
import { idOf } from "../support/commands.ts";
import { headOf } from "../support/forests.ts";
import { intercept } from "../support/journals.ts";
import { handFed, scriptedModel } from "../support/models.ts";
import { type OpenOptions, World } from "../support/world.ts";

const AGENTS = Number(process.env.SIZE_AGENTS ?? 2_000);

/** A process on planted data, and the agents whose events were read in it. */
async function opened(trees: readonly Tree[], options: OpenOptions = {}) {
  const world = new World();
  const { digest } = await new MemoryBlobs(world.blobs).put(new TextEncoder().encode("[]"));
  const planted = await plantIn(new MemoryJournal({ store: world.store }), digest, trees);
  const read = new Set<AgentId>();
  const beforeRead = async (agent: AgentId) => void read.add(agent);
  const life = await world.open({ ...options, around: (journal) => intercept(journal, { beforeRead }) });
  return { life, planted, read, forest: life.coordinator.forest, control: life.coordinator.control };
}

const leaves = (forest: Forest, holds: (status: string, held: boolean) => boolean) =>
  [...forest.nodes()].filter(({ head, children }) => children.length === 0 && holds(head.status, head.held));

test(`O1: opening ${AGENTS} agents at rest reads no event, and knows the sums of every tree`, async () => {
  const { planted, read, life, forest } = await opened(mixOf(AGENTS));
  expect(life.recovery).toEqual({ agents: planted.agents, damaged: [] });
  expect(read.size).toBe(0);
  const sums = forest.roots().map(({ subtree }) => subtree);
  const all = [...forest.nodes()].map(({ head }) => head);
  expect(sums.reduce((sum, { agents }) => sum + agents, 0)).toBe(planted.agents);
  expect(sums.reduce((sum, { live }) => sum + live, 0)).toBe(all.filter(({ status }) => !hasEnded(status)).length);
  expect(sums.reduce((sum, { turns }) => sum + turns, 0)).toBe(all.reduce((sum, { turns }) => sum + turns, 0));
});

test(`a verb on one of ${AGENTS} agents reads none but it and its parent`, async () => {
  const { read, forest, control, life } = await opened(mixOf(AGENTS));
  const [waiting] = leaves(forest, (status) => status === "waiting");
  const [ended] = leaves(forest, (status) => status === "completed");
  const [held] = leaves(forest, (_, isHeld) => isHeld);
  const one = waiting?.head.agent ?? "";
  const verbs: Record<string, [AgentId, () => Promise<unknown>]> = {
    pause: [one, () => control.pause(one)],
    checkpoint: [one, () => control.checkpoint(one, "here")],
    send: [one, () => control.send(one, "and then?")],
    rewind: [one, () => control.rewind(one, 4)],
    fork: [one, () => life.coordinator.fork(one)],
    resume: [held?.head.agent ?? "", () => control.resume(held?.head.agent ?? "")],
    revive: [ended?.head.agent ?? "", () => control.send(ended?.head.agent ?? "", "again")],
    output: [ended?.head.agent ?? "", () => life.coordinator.output(ended?.head.agent ?? "")],
    cancel: [one, () => control.cancel(one)],
  };
  for (const [name, [agent, verb]] of Object.entries(verbs)) {
    read.clear();
    const result = await verb();
    const near = new Set([agent, forest.get(agent)?.head.parent, result]);
    expect(
      [...read].filter((each) => !near.has(each)),
      name,
    ).toEqual([]);
  }
});

test("a hold on a tree at rest and its release read nothing", async () => {
  const { read, forest, control } = await opened(mixOf(AGENTS));
  const [, root] = forest.roots();
  await control.pause(root?.head.agent ?? "");
  await control.resume(root?.head.agent ?? "");
  expect(read.size).toBe(0);
});

test("of a large tree that goes on only those with a slot are read", async () => {
  const model = scriptedModel(() => handFed().stream, { provider: "bench", modelId: "fleet" });
  const tree: Tree = { name: "large", fanOut: [10, AGENTS / 100], held: true, rest: ["queued"] };
  const { read, forest, control, life } = await opened([tree], { models: [model], runningMax: 8 });
  const [root] = forest.roots();
  await control.resume(root?.head.agent ?? "");
  await life.until(() => life.coordinator.load.waiting > AGENTS / 20);
  expect(life.coordinator.load.working).toBe(8);
  expect(read.size).toBeLessThanOrEqual(8);
});

test("V3: the end of a large tree is told when its top has ended, and comes to all of it", async () => {
  const tree: Tree = { name: "large", fanOut: [40, 40], held: false, rest: ["waiting"] };
  const { forest, control, life } = await opened([tree]);
  const [root] = forest.roots();
  expect(root?.subtree.live).toBeGreaterThan(1_000);
  await control.cancel(root?.head.agent ?? "");
  expect(root?.head.status).toBe("cancelled");
  await life.until(() => root?.subtree.live === 0);
});

test("a name among thousands of siblings is found without looking at all of them again", async () => {
  let looked = 0;
  const forest = new Forest();
  const seen = <Item extends Head>(head: Item): Item =>
    Object.defineProperty({ ...head }, "name", {
      get: () => {
        looked += 1;
        return head.name;
      },
    });
  const root = headOf(0);
  forest.put(root);
  const places = new Places(forest, { levelsMax: 1, treeLiveMax: AGENTS + 1 });
  for (let number = 1; number <= AGENTS; number += 1) {
    const { name, release } = places.hold({ agent: idOf(number), parent: root.agent, name: "same" });
    expect(name).toBe(number === 1 ? "same" : `same-${number}`);
    forest.put(seen(headOf(number, root, { name })));
    release();
  }
  expect(looked).toBeLessThanOrEqual(AGENTS);
});
