/** Attacks on the root. The static ones run on both ways of pinning; the races on the one that this system uses. */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { listFiles } from "../../../src/tools/files/list-files.ts";
import { openRoot, type Pin, type Pinning, pinByIdentity } from "../../../src/tools/files/pin.ts";
import { chunksOf, openFile } from "../../../src/tools/files/read.ts";
import { readFile } from "../../../src/tools/files/read-file.ts";
import { searchFiles } from "../../../src/tools/files/search-files.ts";
import { call, failureOf, toolContext } from "../context.ts";
import { makeWorld, SECRET } from "./world.ts";

const world = makeWorld({
  "a.txt": "inside\n",
  "sub/deep/b.txt": "deep\n",
  "-rf": "dash\n",
  "%2e%2e": "percent\n",
  "~": "tilde\n",
});
afterAll(() => world[Symbol.dispose]());
const { root, outside } = world;

const links: Record<string, string> = {
  "link-file": join(outside, "secret.txt"),
  "link-folder": join(outside, "folder"),
  "link-relative": "../outside/secret.txt",
  "link-up": "..",
  "link-slash": "/",
  "link-dangling-out": join(outside, "nothing"),
  "link-chain": "link-hop",
  "link-hop": "link-relative",
  "link-circle": "link-circle",
  "link-neighbour": `${root}-neighbour/secret.txt`,
  "link-proc-root": "/proc/self/root",
  "link-environ": "/proc/self/environ",
  "link-descriptor": "/proc/self/fd/0",
  "link-back": join(outside, "..", "outside", "..", "root", "..", "outside", "secret.txt"),
  "sub/link-deep": "../../outside/folder",
};
for (const [name, target] of Object.entries(links)) symlinkSync(target, join(root, name));
symlinkSync("sub", join(root, "link-inside"));
symlinkSync(join(root, "sub/deep"), join(root, "link-inside-absolute"));
execFileSync("mkfifo", [join(root, "fifo")]);

const attacks: [string, string][] = [
  ["one step up", "../outside/secret.txt"],
  ["one step up, to what is not there", "../nothing"],
  ["many steps up", "../../../../../../../../etc/passwd"],
  ["up after a folder", "sub/../../outside/secret.txt"],
  ["up after a folder that is not there", "nothing/../../outside/secret.txt"],
  ["up behind dots and slashes", ".//./..//outside/./secret.txt"],
  ["the folder above", ".."],
  ["the folder above, with a slash", "../"],
  ["an absolute path", join(outside, "secret.txt")],
  ["an absolute path of the system", "/etc/passwd"],
  ["an absolute path up from the root", `${root}/../outside/secret.txt`],
  ["a neighbour whose name begins like the root's", `${root}-neighbour/secret.txt`],
  ["a link to a file", "link-file"],
  ["a link to a folder, and a file in it", "link-folder/secret.txt"],
  ["a relative link", "link-relative"],
  ["a link to the folder above, and on", "link-up/outside/secret.txt"],
  ["a link to /", "link-slash/etc/passwd"],
  ["a chain of links", "link-chain"],
  ["a circle of links", "link-circle"],
  ["a link to a neighbour", "link-neighbour"],
  ["a link through the kernel's view of /", "link-proc-root/etc/passwd"],
  ["a link to the environment of this process", "link-environ"],
  ["a link to an open descriptor", "link-descriptor"],
  ["a link that goes out, in and out", "link-back"],
  ["a link deep inside", "sub/link-deep/secret.txt"],
  ["up through a link", "link-folder/../secret.txt/../../outside/secret.txt"],
  ["a link that leads nowhere", "link-dangling-out"],
  ["a file behind a link, taken for a folder", "link-file/x"],
];

const ways: [string, Pinning | undefined][] = [
  ["of this system", undefined],
  ["of systems without /proc", pinByIdentity],
];

describe.each(ways)("P1, with the pins %s", (way, pinning) => {
  const read = async (path: string) => {
    const opened = await openRoot({ root, commands: false, spawn: false }, { pinning });
    const below = opened.below(path);
    await using pin = await opened.pin(below);
    await using handle = await openFile(pin, below);
    const chunks: Buffer[] = [];
    for await (const chunk of chunksOf(handle, pin.stat.size, new AbortController().signal))
      chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString();
  };

  test.each(attacks)("%s", async (_, path) => {
    expect((await failureOf(read(path))).code).toBe("OUT_OF_ROOT");
  });

  test.each([
    ["a.txt", "inside\n"],
    ["./sub//deep/../deep/b.txt", "deep\n"],
    [join(root, "a.txt"), "inside\n"],
    ["link-inside/deep/b.txt", "deep\n"],
    ["link-inside-absolute/b.txt", "deep\n"],
    ["-rf", "dash\n"],
    ["%2e%2e", "percent\n"],
    ["~", "tilde\n"],
  ])("%s is inside and read", async (path, text) => {
    expect(await read(path)).toBe(text);
  });

  describe("swapped after it was pinned", () => {
    const swaps: [string, (path: string) => void][] = [
      ["for a link to the secret", (path) => symlinkSync(join(outside, "secret.txt"), path)],
      ["for a FIFO, which would hang", (path) => execFileSync("mkfifo", [path])],
      ["for a link to a device", (path) => symlinkSync("/dev/tty", path)],
      ["for another file", (path) => writeFileSync(path, "another\n")],
    ];

    test.each(swaps)("a file %s", async (what, swap) => {
      const name = `pinned ${what} ${way}`;
      world.write({ [name]: "pinned\n" });
      const opened = await openRoot({ root, commands: false, spawn: false }, { pinning });
      await using pin = await opened.pin(name);
      renameSync(join(root, name), join(root, `${name} away`));
      swap(join(root, name));
      expect(await contentOf(pin)).toBeOneOf(["pinned\n", "refused"]);
    });

    test("the folder of a file for a link to another", async () => {
      const name = `pinned folder ${way}`;
      world.write({ [`${name}/secret.txt`]: "pinned\n" });
      const opened = await openRoot({ root, commands: false, spawn: false }, { pinning });
      await using pin = await opened.pin(`${name}/secret.txt`);
      renameSync(join(root, name), join(root, `${name} away`));
      symlinkSync(join(outside, "folder"), join(root, name));
      expect(await contentOf(pin)).toBeOneOf(["pinned\n", "refused"]);
    });

    async function contentOf(pin: Pin): Promise<string> {
      const handle = await pin.open().catch(() => undefined);
      if (!handle) return "refused";
      await using _ = handle;
      return await handle.readFile("utf8");
    }
  });

  test("P1: whatever the path, no byte from outside is read", async () => {
    const part = fc.constantFrom(
      "..",
      ".",
      "",
      "sub",
      "deep",
      "outside",
      "secret.txt",
      "folder",
      "a.txt",
      "root",
      "~",
      "\\..",
      "...",
      ...Object.keys(links),
    );
    const relative = fc.array(part, { maxLength: 8 }).map((parts) => parts.join("/"));
    const path = fc.oneof(
      relative,
      relative.map((each) => `${root}/${each}`),
      relative.map((each) => `${outside}/${each}`),
      fc.string({ unit: "binary" }),
    );
    await fc.assert(
      fc.asyncProperty(path, async (each) => {
        const text = await read(each).catch((error: Error) => error);
        if (text instanceof Error) expect(text.message).not.toContain(SECRET);
        else expect(["inside\n", "deep\n", "dash\n", "percent\n", "tilde\n"]).toContain(text);
      }),
      { numRuns: 300 },
    );
  });
});

const context = toolContext({ rights: { root } });

describe("through the tools", () => {
  test.each(attacks)("%s", async (_, path) => {
    for (const work of [
      () => call(readFile, { path }, context),
      () => call(listFiles, { path }, context),
      () => call(searchFiles, { path, pattern: "." }, context),
    ]) {
      expect((await failureOf(work())).code).toBe("OUT_OF_ROOT");
    }
  });

  test("a search below the root goes over no link", async () => {
    const answer = await call(searchFiles, { path: ".", pattern: "SECRET|root:" }, context);
    expect(answer).toBe("0 matches");
  });

  test("links are listed as links, without the size of what they lead to", async () => {
    const lines = (await call(listFiles, { path: "." }, context)).split("\n");
    expect(lines).toContain("l link-file");
    expect(lines).toContain("l link-folder");
    expect(lines.some((line) => /^[df] link/.test(line))).toBe(false);
  });

  test.each([
    ["NUL", "a\0.txt", "INPUT_INVALID"],
    ["half a surrogate pair", "a\ud800", "INPUT_INVALID"],
    ["nothing", "", "INPUT_INVALID"],
    ["a very long path", "a/".repeat(2_500), "INPUT_INVALID"],
    ["a very long name", "a".repeat(300), "TOOL_FAILED"],
    ["a newline", "a.txt\n", "TOOL_FAILED"],
    ["another normal form of Unicode", "sub/de\u0301ep", "TOOL_FAILED"],
    ["a backslash for a slash", "..\\outside\\secret.txt", "TOOL_FAILED"],
    ["dots in percent", "%2e%2e/outside/secret.txt", "TOOL_FAILED"],
    ["the home folder", "~/.ssh/id_rsa", "TOOL_FAILED"],
    ["a file taken for a folder", "a.txt/b", "TOOL_FAILED"],
  ])("a path with %s is no way out", async (_, path, code) => {
    const failure = await failureOf(call(readFile, { path }, context));
    expect(failure.code).toBe(code);
    expect(failure.message).not.toContain("\n");
    expect(failure.message).not.toContain(world.outside);
  });

  test("an agent without a folder sees none", async () => {
    expect((await failureOf(call(listFiles, { path: "." }, toolContext()))).code).toBe("OUT_OF_ROOT");
  });
});

test("P2: a FIFO, a socket and a device are listed and never opened", async () => {
  const server = createServer().listen(join(root, "socket"));
  await new Promise((resolve) => server.once("listening", resolve));
  expect(await call(listFiles, { path: "." }, context)).toMatch(/^s fifo$.*^s socket$/ms);
  for (const path of ["fifo", "socket"]) {
    const failure = await failureOf(call(readFile, { path }, context));
    expect(failure).toEqual({ code: "TOOL_FAILED", message: `${path} is a special file and is not opened` });
    expect((await failureOf(call(searchFiles, { path, pattern: "x" }, context))).code).toBe("TOOL_FAILED");
  }
  await new Promise((resolve) => server.close(resolve));
});

test("P3: a link to what is outside says the same as a link to nothing", async () => {
  const there = await failureOf(call(readFile, { path: "link-file" }, context));
  const nothing = await failureOf(call(readFile, { path: "link-dangling-out" }, context));
  expect(nothing).toEqual({ ...there, message: there.message.replace("link-file", "link-dangling-out") });
});

test("P4: even with the root /, the kernel's folders are out of it", async () => {
  const all = toolContext({ rights: { root: "/" } });
  for (const path of ["proc/self/environ", "/proc/self/environ", "sys/kernel", "dev/null", "proc"]) {
    expect((await failureOf(call(readFile, { path }, all))).code).toBe("OUT_OF_ROOT");
  }
  expect(await call(readFile, { path: join(root, "a.txt") }, all)).toContain("inside");
});

test("P5: the runtime's own data is out of the root in which it lies, over links and by every tool", async () => {
  using around = makeWorld({
    "a.txt": "inside\n",
    "data/journal/journal.db": SECRET,
    "data-like/b.txt": "inside too\n",
  });
  symlinkSync("data", join(around.root, "link-data"));
  symlinkSync("../data/journal/journal.db", join(around.root, "data-like/link-file"));
  const hidden = join(around.root, "data");
  const own = { ...toolContext({ rights: { root: around.root } }), hidden };
  for (const path of ["data", "data/journal", "link-data/journal", hidden]) {
    expect((await failureOf(call(listFiles, { path }, own))).code).toBe("OUT_OF_ROOT");
  }
  for (const path of ["data/journal/journal.db", "link-data/journal/journal.db", "data-like/link-file"]) {
    expect((await failureOf(call(readFile, { path }, own))).code).toBe("OUT_OF_ROOT");
  }
  const found = await call(searchFiles, { path: ".", pattern: "inside|SECRET" }, own);
  expect(found).toContain("a.txt");
  expect(found).toContain("data-like/b.txt");
  expect(found).not.toContain(SECRET);
  expect(await call(readFile, { path: "data-like/b.txt" }, own)).toContain("inside too");
});

test("a hard link is a file of the root, as pin.ts says", async () => {
  linkSync(join(outside, "secret.txt"), join(root, "hard"));
  expect(await call(readFile, { path: "hard" }, context)).toContain(SECRET);
});

test("a root that is itself behind a link works, by either of its names", async () => {
  const alias = join(outside, "alias");
  symlinkSync(root, alias);
  const aliased = toolContext({ rights: { root: alias } });
  for (const path of ["a.txt", join(alias, "a.txt"), join(root, "a.txt")])
    expect(await call(readFile, { path }, aliased)).toContain("inside");
});

describe.runIf(process.platform === "linux")(
  "P1: someone swaps what is inside for links to what is outside, while it is read",
  () => {
    const ROUNDS = 400;
    /** On a thread of its own, as fast as it can until told to stop: `x` is by turns what it should be and a link to the secret. */
    const swapper = (folder: string, kind: "file" | "folder", target: string, stop: SharedArrayBuffer) =>
      new Worker(
        `const { renameSync, symlinkSync, writeFileSync, mkdirSync } = require("node:fs");
       const { parentPort, workerData: { folder, kind, target, stop } } = require("node:worker_threads");
       const x = folder + "/x", good = folder + "/good", bad = folder + "/bad", stopped = new Int32Array(stop);
       if (kind === "folder") { mkdirSync(x); writeFileSync(x + "/secret.txt", "harmless"); } else writeFileSync(x, "harmless");
       symlinkSync(target, bad);
       parentPort.postMessage("ready");
       while (Atomics.load(stopped, 0) === 0) {
         renameSync(x, good); renameSync(bad, x); renameSync(x, bad); renameSync(good, x);
       }`,
        { eval: true, workerData: { folder, kind, target, stop } },
      );

    test.each([
      ["file", "secret.txt", "x", "race-file"],
      ["folder", "folder", "x/secret.txt", "race-folder"],
    ] as const)("a %s", async (kind, target, path, name) => {
      const folder = join(root, name);
      mkdirSync(folder);
      const stop = new SharedArrayBuffer(4);
      const worker = swapper(folder, kind, join(outside, target), stop);
      const exit = new Promise<number>((resolve) => worker.once("exit", resolve));
      await new Promise((resolve) => worker.once("message", resolve));
      const seen = { harmless: 0, refused: 0 };
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const works = [
            call(readFile, { path: `${name}/${path}` }, context),
            call(readFile, { path: `${name}/${path}` }, context),
            call(listFiles, { path: kind === "folder" ? `${name}/x` : name }, context),
            call(searchFiles, { path: name, pattern: "SECRET|harmless" }, context),
          ];
          for (const text of await Promise.all(works.map((work) => work.catch((error: Error) => error.message)))) {
            expect(text).not.toContain(SECRET);
            // No size but the harmless one's: the secret's would be news too, and so would a link's.
            expect(text).not.toMatch(/^f \S+ (?!8$)/m);
            if (text.includes("harmless")) seen.harmless++;
            if (text.includes("leads out")) seen.refused++;
          }
        }
      } finally {
        Atomics.store(new Int32Array(stop), 0, 1);
      }
      expect(await exit).toBe(0);
      // Both sides of the race were met, so that it was one.
      expect(seen.harmless).toBeGreaterThan(0);
      expect(seen.refused).toBeGreaterThan(0);
    });
  },
);
