/** Quotas, from the agents' side: a write that does not fit is refused with a clear error, and nothing else happens. */
import { expect, test } from "vitest";
import type { AgentId } from "../../src/base/ids.ts";
import { asks, cast } from "../support/cast.ts";
import { World } from "../support/world.ts";

const write = (name: string, bytes: number, letter = "x") =>
  ["write_artifact", { name, content: letter.repeat(bytes) }] as const;

/** Roots that write what they are told, one call a turn, under bounds. */
async function written(bounds: object, agents: Readonly<Record<string, readonly ReturnType<typeof write>[]>>) {
  const world = new World();
  const model = cast(
    Object.fromEntries(
      Object.entries(agents).map(([name, calls]) => [name, [...calls.map((call) => asks(call)), "done"]]),
    ),
  );
  const life = await world.open({ models: [model], ...bounds });
  const heads: Record<string, readonly string[]> = {};
  for (const name of Object.keys(agents)) {
    const agent: AgentId = await life.spawn(name, { tools: ["write_artifact"] });
    await life.outcome(agent);
    heads[name] = (life.coordinator.forest.get(agent)?.head.artifacts ?? []).map(
      (made) => `${made.name} ${made.bytes}`,
    );
  }
  return { heads, stored: [...world.blobs.values()].map(({ length }) => length) };
}

test("Q1, Q3: a tree's artifacts fit its bound: same bytes count once, a name that is written again counts anew", async () => {
  const { heads, stored } = await written(
    { treeArtifactBytesMax: 100 },
    {
      one: [write("a", 60), write("b", 60), write("c", 41, "y"), write("c", 40, "y"), write("a", 61), write("d", 1)],
      two: [write("a", 100)],
    },
  );
  expect(heads).toEqual({ one: ["a 60", "b 60", "c 40"], two: ["a 100"] });
  // Q2
  expect(stored).not.toContain(41);
  expect(stored).not.toContain(61);
});

test("Q1: a tenant's bound holds over all its trees", async () => {
  const bounds = { tenantArtifactBytesMax: 100 };
  const { heads } = await written(bounds, {
    one: [write("a", 60)],
    two: [write("b", 60), write("c", 41, "y"), write("d", 40, "z")],
  });
  expect(heads).toEqual({ one: ["a 60"], two: ["b 60", "d 40"] });
});

test("without bounds nothing is refused", async () => {
  expect((await written({}, { one: [write("a", 60_000), write("b", 70_000)] })).heads.one).toHaveLength(2);
});
