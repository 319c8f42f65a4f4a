/** Work trees on a real disk: kept, and put back whatever happened to them. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { type Blobs, type Digest, digestOf } from "../../../src/blobs/blobs.ts";
import { MemoryBlobs } from "../../../src/blobs/memory/memory-blobs.ts";
import { openFsWorkTrees } from "../../../src/checkpoints/fs/fs-work-trees.ts";
import { changesBetween, readTree } from "../../../src/checkpoints/work-trees.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

type Files = Readonly<Record<string, string>>;

/** A folder beside one that is none of its business, and what keeps it. */
function world(files: Files = {}) {
  const place = mkdtempSync(join(tmpdir(), "banyan-trees-"));
  made.push(place);
  const root = join(place, "root");
  mkdirSync(join(place, "outside"), { recursive: true });
  mkdirSync(join(root, "data"), { recursive: true });
  writeFileSync(join(place, "outside", "secret"), "not yours");
  writeFileSync(join(root, "data", "journal"), "the data itself");
  const blobs = new MemoryBlobs();
  const trees = openFsWorkTrees({ blobs, clock: systemClock(), except: join(root, "data") });
  write(root, files);
  /** Keeps what is there, then puts back. */
  const back = async (tree: Digest) => trees.restore(root, tree, (await trees.save(root)).tree);
  return { place, root, blobs, trees, back };
}

function write(root: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** Everything in a folder: texts of files, targets of links, modes. */
function all(root: string, below = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of readdirSync(join(root, below)).sort()) {
    const path = join(below, name);
    const stat = lstatSync(join(root, path));
    const mode = (stat.mode & 0o777).toString(8);
    if (stat.isDirectory()) Object.assign(found, { [`${path}/`]: mode }, all(root, path));
    else if (stat.isSymbolicLink()) found[path] = `-> ${readlinkSync(join(root, path))}`;
    else found[path] = `${mode} ${readFileSync(join(root, path), "utf8")}`;
  }
  return found;
}

test("what was written, changed, moved and removed is put back, modes, links and empty folders included", async () => {
  const { root, trees, back } = world({ "a.txt": "one", "src/b.txt": "two", "src/deep/c.txt": "three" });
  mkdirSync(join(root, "empty"));
  symlinkSync("a.txt", join(root, "link"));
  chmodSync(join(root, "src/b.txt"), 0o755);
  const before = all(root);
  const { tree, files, bytes } = await trees.save(root);
  expect([files, bytes]).toEqual([3, 11]);

  write(root, { "a.txt": "changed", "new/d.txt": "new" });
  renameSync(join(root, "src/deep/c.txt"), join(root, "moved.txt"));
  rmSync(join(root, "src/deep"), { recursive: true });
  rmSync(join(root, "empty"), { recursive: true });
  rmSync(join(root, "link"));
  symlinkSync("src", join(root, "link"));
  chmodSync(join(root, "src/b.txt"), 0o644);
  expect(await back(tree)).toMatchObject({ written: 4, removed: 2, spared: 0 });
  expect(all(root)).toEqual(before);
  expect(await back(tree)).toMatchObject({ written: 0, removed: 0, spared: 0 });
});

test("a file that became a folder, and a folder that became a file or a link, become what they were", async () => {
  const { root, trees, back } = world({ a: "file", "b/c": "in a folder", "d/e": "too" });
  const before = all(root);
  const { tree } = await trees.save(root);
  rmSync(join(root, "a"));
  rmSync(join(root, "b"), { recursive: true });
  rmSync(join(root, "d"), { recursive: true });
  write(root, { "a/now/deep": "a folder", b: "a file" });
  symlinkSync("a", join(root, "d"));
  expect((await back(tree)).spared).toBe(0);
  expect(all(root)).toEqual(before);
});

test("W1: no link is followed out of the folder, to read, to write or to remove", async () => {
  const { place, root, trees, back, blobs } = world({ "in/a": "mine" });
  symlinkSync(join(place, "outside"), join(root, "out"));
  symlinkSync(join(place, "outside", "secret"), join(root, "file"));
  const { tree } = await trees.save(root);
  const entries = await readTree(blobs, tree);
  expect(entries.get("out")).toMatchObject({ kind: "link" });
  expect([...entries.keys()].toSorted()).toEqual(["file", "in", "in/a", "out"]);
  expect(await blobs.has(digestOf(Buffer.from("not yours")))).toBeUndefined();
  // The folder that is to be filled is a way out now.
  rmSync(join(root, "in"), { recursive: true });
  symlinkSync(join(place, "outside"), join(root, "in"));
  write(place, { "outside/a": "theirs" });
  await back(tree);
  expect(readFileSync(join(root, "in", "a"), "utf8")).toBe("mine");
  expect(readFileSync(join(place, "outside", "a"), "utf8")).toBe("theirs");
  expect(readFileSync(join(place, "outside", "secret"), "utf8")).toBe("not yours");
});

test.each(["../up", "/etc/passwd", "a/../../b", "a//b", ".", "a/./b", ""])(
  "W1: a tree that names %j is refused",
  async (path) => {
    const { trees, root, blobs } = world();
    const { digest } = await blobs.put(Buffer.from(`banyan tree 1\n${JSON.stringify(["l", path, "x"])}`));
    const { tree } = await trees.save(root);
    await expect(trees.restore(root, digest, tree)).rejects.toMatchObject({ code: "BLOB_DAMAGED" });
  },
);

test("W2: what was not kept is neither overwritten nor removed", async () => {
  const { root, trees, back } = world({ "a/one": "1", "b/two": "2", ".gitignore": "*.log\n" });
  write(root, { "secret/.env": "KEY=1", "node_modules/x/index.js": "x", ".git/HEAD": "ref" });
  const { tree } = await trees.save(root);
  // Now they stand where the tree has something else, or would have nothing.
  write(root, { "a/noise.log": "log", ".gitignore": "*.log\none\n" });
  writeFileSync(join(root, "a/one"), "ignored now, and different");
  rmSync(join(root, "b"), { recursive: true });
  write(root, { b: "x".repeat(LIMITS.workTreeFileBytesMax + 1) });
  const restored = await back(tree);
  expect(restored.spared).toBeGreaterThanOrEqual(2);
  expect(readFileSync(join(root, "a/noise.log"), "utf8")).toBe("log");
  expect(readFileSync(join(root, "a/one"), "utf8")).toBe("ignored now, and different");
  expect(lstatSync(join(root, "b")).size).toBe(LIMITS.workTreeFileBytesMax + 1);
  expect(readFileSync(join(root, "secret/.env"), "utf8")).toBe("KEY=1");
  expect(readFileSync(join(root, ".git/HEAD"), "utf8")).toBe("ref");
  expect(existsSync(join(root, "node_modules/x/index.js"))).toBe(true);
  expect(readFileSync(join(root, "data/journal"), "utf8")).toBe("the data itself");
});

test("W2: a file that changed after it was kept is left as it is", async () => {
  const { root, trees } = world({ a: "first", b: "first" });
  const { tree } = await trees.save(root);
  write(root, { a: "second", b: "second", c: "new" });
  const { tree: now } = await trees.save(root);
  write(root, { a: "third", c: "newer" });
  expect(await trees.restore(root, tree, now)).toMatchObject({ written: 1, removed: 0, spared: 2 });
  expect(all(root)).toMatchObject({ a: "644 third", b: "644 first", c: "644 newer" });
});

test("what is to be ignored is: by .gitignore of any folder, by .banyanignore, and taken back by either", async () => {
  const { root, trees, blobs } = world({
    ".gitignore": "build/\n*.tmp\n",
    ".banyanignore": "!keep.tmp\nlocal\n",
    "build/out": "x",
    "a.tmp": "x",
    "keep.tmp": "x",
    local: "x",
    "sub/.gitignore": "own\n!a.tmp\n",
    "sub/own": "x",
    "sub/a.tmp": "x",
    "sub/build/out": "x",
    ".env": "KEY",
    ".env.example": "KEY=",
  });
  const files = [...(await readTree(blobs, (await trees.save(root)).tree)).values()].filter(
    ({ kind }) => kind === "file",
  );
  expect(files.map(({ path }) => path).toSorted()).toEqual(
    [".gitignore", ".banyanignore", "keep.tmp", "sub/.gitignore", "sub/a.tmp", ".env.example"].toSorted(),
  );
});

test("W4: the same files are the same tree, and only new contents are named as added", async () => {
  const { root, trees } = world({ a: "one", b: "two" });
  const first = await trees.save(root);
  expect(first.added).toHaveLength(2);
  utimesSync(join(root, "a"), 1, 1);
  expect(await trees.save(root, first.tree)).toMatchObject({ tree: first.tree, added: [] });
  write(root, { c: "three", d: "one" });
  const second = await trees.save(root, first.tree);
  expect(second.added).toEqual([digestOf(Buffer.from("three"))]);
  rmSync(join(root, "c"));
  rmSync(join(root, "d"));
  expect((await trees.save(root, second.tree)).tree).toBe(first.tree);
});

test("a change that leaves size and times as they were is seen", async () => {
  const { root, trees } = world({ a: "one" });
  const { tree } = await trees.save(root);
  // Within a step of the clock of the file system.
  writeFileSync(join(root, "a"), "two");
  expect((await trees.save(root)).tree).not.toBe(tree);
});

test("what is too much is refused by name, and left out file by file", async () => {
  const { root, trees } = world({ small: "x" });
  write(root, { large: "x".repeat(LIMITS.workTreeFileBytesMax + 1) });
  expect(await trees.save(root)).toMatchObject({ files: 1, left: 1 });
  mkdirSync(join(root, "many"));
  for (let n = 0; n <= LIMITS.workTreeFilesMax; n++) symlinkSync("x", join(root, "many", `${n}`));
  await expect(trees.save(root)).rejects.toMatchObject({ code: "CONTENT_TOO_LARGE" });
  await expect(trees.save(join(root, "nowhere"))).rejects.toMatchObject({ code: "TOOL_FAILED" });
});

/** Fails the read of the nth content. */
function failing(blobs: Blobs, at: number): Blobs {
  let reads = 0;
  return new Proxy(blobs, {
    get(target, name) {
      if (name !== "get") return Reflect.get(target, name).bind(target);
      return async function* (digest: Digest) {
        reads += 1;
        if (reads === at) throw new Error("cut");
        yield* target.get(digest);
      };
    },
  });
}

test("W3: cut at any file, putting back is done by doing it again, and no file is ever half", async () => {
  const files = { a: "1", "b/c": "2", "b/d": "3", "e/f/g": "4" };
  const others = { a: "one", "b/c": "two", "h/i": "new", e: "a file" };
  for (let cut = 1; ; cut++) {
    const { root, trees, back, blobs } = world(files);
    const before = all(root);
    const { tree } = await trees.save(root);
    rmSync(join(root, "e"), { recursive: true });
    write(root, others);
    const { tree: now } = await trees.save(root);
    // The first two reads are of the trees.
    const cutting = openFsWorkTrees({ blobs: failing(blobs, cut), clock: systemClock(), except: join(root, "data") });
    const known = (await cutting.save(root)).tree;
    expect(known).toBe(now);
    const outcome = await cutting.restore(root, tree, now).then(
      () => "done",
      () => "cut",
    );
    const texts = new Set([...Object.values(files), ...Object.values(others), "the data itself"]);
    for (const [path, text] of Object.entries(all(root))) {
      if (!path.endsWith("/") && !path.includes(".banyan-restore-")) expect(texts).toContain(text.slice(4));
    }
    await back(tree);
    expect(all(root)).toEqual(before);
    if (outcome === "done") return;
  }
});

test("any tree is put back from any other", async () => {
  const name = fc.constantFrom("a", "b", "c");
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
  const plan = fc.array(fc.tuple(path, fc.constantFrom("file", "link", "folder", "remove"), fc.nat(3)), {
    maxLength: 12,
  });
  const act = (root: string, steps: readonly (readonly [string, string, number])[]) => {
    for (const [where, what, number] of steps) {
      const place = join(root, where);
      try {
        if (what === "remove") rmSync(place, { recursive: true, force: true });
        else mkdirSync(dirname(place), { recursive: true });
        if (what === "file") writeFileSync(place, `text ${number}`);
        if (what === "link") symlinkSync(`../${number}`, place);
        if (what === "folder") mkdirSync(place);
      } catch {
        // There is something else already.
      }
    }
  };
  await fc.assert(
    fc.asyncProperty(plan, plan, async (first, second) => {
      const { root, trees, back } = world();
      act(root, first);
      const before = all(root);
      const { tree } = await trees.save(root);
      act(root, second);
      const after = all(root);
      const { tree: later } = await trees.save(root);
      await back(tree);
      expect(all(root)).toEqual(before);
      await back(later);
      expect(all(root)).toEqual(after);
    }),
    { numRuns: 60 },
  );
});

test("two trees are compared by path", async () => {
  const { root, trees, blobs } = world({ a: "1", b: "2", c: "3" });
  const before = await readTree(blobs, (await trees.save(root)).tree);
  write(root, { a: "changed", d: "new" });
  rmSync(join(root, "b"));
  const after = await readTree(blobs, (await trees.save(root)).tree);
  expect(changesBetween(before, after)).toEqual([
    { path: "a", change: "changed" },
    { path: "b", change: "removed" },
    { path: "d", change: "added" },
  ]);
});
