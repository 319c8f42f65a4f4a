/** Files of agents' folders: kept as the agent works, and put back by a rewind. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { Rights } from "../../src/agent/events.ts";
import { systemClock } from "../../src/base/clock.ts";
import { BanyanError } from "../../src/base/errors.ts";
import { openFsWorkTrees } from "../../src/checkpoints/fs/fs-work-trees.ts";
import type { WorkTrees } from "../../src/checkpoints/work-trees.ts";
import type { Tool } from "../../src/tools/tool.ts";
import { asks, cast } from "../support/cast.ts";
import { World } from "../support/world.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Writes a file as any tool may: nobody is told. */
const tool: Tool = {
  name: "scribble",
  description: "Writes a file.",
  inputSchema: { type: "object" },
  onUnknownOutcome: "report",
  async run(input, { rights }) {
    const { file, text } = input as { file: string; text: string };
    if (rights.root === undefined) return "it has no folder";
    writeFileSync(join(rights.root, file), text);
    return "written";
  },
};

const writes = (file: string, text: string) => asks(["scribble", { file, text }]);

function contents(root: string): Record<string, string> {
  return Object.fromEntries(readdirSync(root).map((name) => [name, readFileSync(join(root, name), "utf8")]));
}

interface Setup {
  readonly keeps?: boolean;
  readonly around?: (trees: WorkTrees) => WorkTrees;
}

/** An agent that has written twice and given its answer; told again, it writes once more. */
async function lived({ keeps = true, around = (trees) => trees }: Setup = {}) {
  const root = mkdtempSync(join(tmpdir(), "banyan-files-"));
  folders.push(root);
  writeFileSync(join(root, "given"), "by a person");
  const world = new World();
  const model = cast({
    writer: ({ said }) =>
      [writes("a", "one"), writes("a", "two"), "done", writes("b", "three"), "done again"][said] ?? "nothing",
  });
  const open = (more: Setup = {}) =>
    world.open({
      models: [model],
      tools: [tool],
      workTrees: (blobs) =>
        (more.around ?? around)(openFsWorkTrees({ blobs, clock: systemClock(), except: join(root, ".banyan") })),
    });
  const life = await open();
  const execution = { driver: "model", provider: "test", model: "cast", outputTokensMax: 100 } as const;
  const rights: Rights = { root, commands: false, spawn: true };
  const writer = await life.spawn("writer", {
    tools: ["scribble"],
    rights,
    execution: { ...execution, ...(keeps && { keepFiles: true as const }) },
  });
  expect(await life.outcome(writer)).toBe("done");
  const ends = [...(await life.state(writer)).entries].map(({ seq }) => seq);
  return { world, life, writer, root, ends, open };
}

test("J1: at every boundary the files go back to what they were there, whichever tool wrote them", async () => {
  const given = { given: "by a person" };
  // Its task; it asks; one is written; it asks; two is written; its answer.
  const expected = [
    given,
    given,
    { ...given, a: "one" },
    { ...given, a: "one" },
    { ...given, a: "two" },
    { ...given, a: "two" },
  ];
  for (const [index, files] of expected.entries()) {
    const seen: Record<string, string>[] = [];
    const around = (trees: WorkTrees): WorkTrees => ({
      save: (root, before) => trees.save(root, before),
      restore: async (root, tree, now) => {
        const restored = await trees.restore(root, tree, now);
        seen.push(contents(root));
        return restored;
      },
    });
    const { life, writer, ends } = await lived({ around });
    const saved = await life.all(writer, "files.saved");
    expect(saved.map((each) => [each.files, each.added.length])).toEqual([
      [1, 1],
      [2, 1],
      [2, 1],
    ]);
    expect(ends).toHaveLength(expected.length);
    await life.control.rewind(writer, ends[index] ?? 0, { files: true });
    expect([index, seen]).toEqual([index, [files]]);
    expect(await life.outcome(writer)).toBe("done");
    expect(life.faults).toEqual([]);
    await life.stop();
  }
});

test("a rewind with files puts the folder back before it answers, and before anything else runs", async () => {
  const { life, writer, root, ends } = await lived();
  writeFileSync(join(root, "a"), "a person was here");
  writeFileSync(join(root, "new"), "too");
  await life.control.rewind(writer, ends.at(-1) ?? 0, { files: true });
  expect(contents(root)).toEqual({ given: "by a person", a: "two" });
  await life.outcome(writer);
  const types = await life.types(writer);
  const [rewound, restored] = [types.lastIndexOf("agent.rewound"), types.lastIndexOf("files.restored")];
  expect(types.slice(rewound, restored + 1)).toEqual(["agent.rewound", "files.saved", "files.restored"]);
  // What was there before was kept, and can be had back.
  const [safety] = (await life.all(writer, "files.saved")).slice(-1);
  expect(safety?.files).toBe(3);
  expect((await life.coordinator.checkpoints.diff(writer, ends[2] ?? 0, ends[4] ?? 0)).files).toEqual([
    { path: "a", change: "changed" },
  ]);
  await life.stop();
});

test("a rewind without files leaves them alone, and one where none were kept is refused", async () => {
  const { life, writer, root, ends } = await lived();
  await life.control.rewind(writer, ends.at(-1) ?? 0);
  expect(contents(root)).toEqual({ given: "by a person", a: "two" });
  const other = await life.spawn("writer", { tools: ["scribble"], task: "go" });
  await life.outcome(other);
  const { seq } = life.head(other);
  await expect(life.control.rewind(other, seq, { files: true })).rejects.toMatchObject({
    code: "CHECKPOINT_NOT_FOUND",
  });
  await expect(life.control.checkpoint(other, "here", { files: true })).rejects.toMatchObject({ code: "OUT_OF_ROOT" });
  await life.stop();
});

test("files are kept with a checkpoint by hand, of an agent that does not keep them by itself", async () => {
  const { life, writer, root } = await lived({ keeps: false });
  expect(await life.all(writer, "files.saved")).toEqual([]);
  const at = await life.control.checkpoint(writer, "by hand", { files: true });
  writeFileSync(join(root, "a"), "three");
  await life.control.rewind(writer, at, { files: true });
  expect(contents(root)).toEqual({ given: "by a person", a: "two" });
  await life.stop();
});

test("H1: a process that dies while files are put back leaves it to the next one, which does it before anything else", async () => {
  let cut = true;
  const around = (trees: WorkTrees): WorkTrees => ({
    save: (root, before) => trees.save(root, before),
    restore: async (root, tree, now) => {
      if (cut) throw new BanyanError("DISK_FAILED", "the process dies here");
      return trees.restore(root, tree, now);
    },
  });
  const { life, writer, root, ends, open } = await lived({ around });
  await expect(life.control.rewind(writer, ends[2] ?? 0, { files: true })).rejects.toMatchObject({
    code: "DISK_FAILED",
  });
  await life.stop();
  expect((await life.state(writer)).files?.restoring).toBeDefined();
  writeFileSync(join(root, "half"), "of what the dead process did");
  cut = false;
  const next = await open({ around });
  // It goes on: its second write is the first thing that happens to the restored folder.
  expect(await next.outcome(writer)).toBe("done");
  const types = await next.types(writer);
  const restored = types.lastIndexOf("files.restored");
  expect(types.slice(types.lastIndexOf("agent.rewound"), restored)).not.toContain("turn.started");
  expect(contents(root)).toEqual({ given: "by a person", a: "two" });
  await next.stop();
});

test("J3: files that cannot be kept are told of once, and the agent goes on", async () => {
  const around = (trees: WorkTrees): WorkTrees => ({
    ...trees,
    restore: (root, tree, now) => trees.restore(root, tree, now),
    save: async () => {
      throw new BanyanError("CONTENT_TOO_LARGE", "too many files");
    },
  });
  const { life, writer } = await lived({ around });
  expect(life.faults.map(({ agent, error }) => [agent, (error as BanyanError).code])).toEqual(
    Array(3).fill([writer, "CONTENT_TOO_LARGE"]),
  );
  await life.stop();
});
