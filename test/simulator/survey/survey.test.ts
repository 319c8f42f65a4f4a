/** The survey over real folders, against what a plain walk of the same folders finds. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { pick, seededRandom } from "../../../src/base/random.ts";
import { createProvider } from "../../../src/simulator/provider.ts";
import { agentNames, folderOf } from "../../../src/simulator/survey/children.ts";
import { parseReport, report } from "../../../src/simulator/survey/map.ts";
import { EXPORTS, exportedNames } from "../../../src/simulator/survey/patterns.ts";
import { parseListing } from "../../../src/simulator/survey/results.ts";
import { surveyMind } from "../../../src/simulator/survey/survey.ts";
import { ask } from "../in-process.ts";
import { type Agent, FakeRuntime, type Options } from "./fake-runtime.ts";

const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** Files by path; a value of `->` is a link to itself. */
function folder(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "survey-"));
  roots.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (content === "->") symlinkSync(".", join(root, path));
    else writeFileSync(join(root, path), content);
  }
  return root;
}

async function survey(root: string, options: Partial<Options> = {}): Promise<{ root: Agent; runtime: FakeRuntime }> {
  const runtime = new FakeRuntime({ root, provider: createProvider({ mind: surveyMind() }), ...options });
  return { root: await runtime.run(), runtime };
}

// biome-ignore lint/suspicious/noExplicitAny: the map is looked into field by field
const mapOf = (agent: Agent): any => JSON.parse(agent.artifacts.get("map.json") ?? "");

const MARK = ["FIX", "ME"].join("");
const small = {
  "readme.md": "# Hello\n\nworld\n",
  "logo.png": "\0\0",
  empty: "",
  loop: "->",
  ".git/config": "secret\n",
  "src/index.ts": `export const a = 1;\nexport function b() {}\n// ${MARK}: one\nexport { c, d as e } from "./x";\n`,
  "src/deep/er/still.py": `def run():\n  pass # ${MARK} two\nclass Thing(Base):\n`,
  "src/deep/x y (z).js": "module.exports.q = 1;\nexports.r = 2;",
  "lib/a.go": "func (t T) Public() {}\nfunc private() {}\n",
  "lib/b.rs": "pub fn go() {}\nfn stay() {}\n",
};

test("a tree is mapped as it is", async () => {
  const { root, runtime } = await survey(folder(small));
  const { subtree, own, subfolders, links, skipped } = mapOf(root);
  expect(subtree).toMatchObject({
    agents: 5,
    levels: 4,
    folders: 5,
    files: 8,
    lines: 3 + 0 + 4 + 3 + 2 + 2 + 2,
    unread: 0,
    missing: { count: 0, first: [] },
    exports: { count: 10, first: ["Public", "Thing", "a", "b", "c", "e", "go", "q", "r", "run"] },
    fixmes: {
      count: 2,
      first: [
        { path: "src/deep/er/still.py", line: 2, text: `pass # ${MARK} two` },
        { path: "src/index.ts", line: 3, text: `// ${MARK}: one` },
      ],
    },
  });
  expect(Object.keys(subtree.languages)).toEqual([
    "Binary",
    "Go",
    "JavaScript",
    "Markdown",
    "Other",
    "Python",
    "Rust",
    "TypeScript",
  ]);
  expect(own).toMatchObject({ agents: 1, levels: 1, files: 3, lines: 3 });
  expect(subfolders.map(({ folder, files }: { folder: string; files: number }) => [folder, files])).toEqual([
    ["lib", 2],
    ["src", 3],
  ]);
  expect([links, skipped]).toEqual([1, [".git"]]);
  expect(root.artifacts.get("map.md")).toContain("| src | 3 | 3 | 3 |");
  expect(parseReport(root.output)).toEqual(subtree);
  expect(root.output).toMatch(
    /^Surveyed \.: 8 files, 16 lines and \d+ bytes in 5 folders, by 5 agents on 4 levels; 10 exports, 2 open markers\.\n/,
  );
  expect(runtime.agents.map(({ name }) => name).sort()).toEqual(["deep", "er", "lib", "root", "src"]);
  expect(Math.max(...runtime.agents.map(({ turns }) => turns))).toBeLessThanOrEqual(5);
  for (const agent of runtime.agents) expect(agent.artifacts.has("map.md")).toBe(agent === root);
});

test("the sums are those of a plain walk, on this repository's own sources", async () => {
  const here = join(import.meta.dirname, "../../..", "src");
  const { root, runtime } = await survey(here);
  const walked = walk(here);
  expect(mapOf(root).subtree).toMatchObject({ ...walked, agents: walked.folders, unread: 0 });
  expect(runtime.agents).toHaveLength(walked.folders);
});

test("S1: whatever the order of a turn's work and the form of a wait, the map is the same", async () => {
  const root = folder({ ...small, ...manyFolders(30) });
  const maps = new Set<string | undefined>();
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed);
    const order: Options["order"] = (calls) => calls.toSorted(() => pick(random, [-1, 1]));
    const { root: agent } = await survey(root, { order, waitLines: seed === 2 });
    maps.add(agent.artifacts.get("map.json"));
  }
  expect(maps.size).toBe(1);
});

test("S1: the same request gets the same reply, whatever the instructions", async () => {
  const provider = createProvider({ mind: surveyMind() });
  const body = {
    messages: [{ role: "user", content: "survey this source tree" }],
    tools: [{ name: "list_files", input_schema: { type: "object" } }],
  };
  const [one, same, other] = [
    await ask(provider, body),
    await ask(provider, body),
    await ask(provider, { ...body, system: "Sing." }),
  ];
  expect(same?.json).toEqual(one?.json);
  expect(other?.json.content[0].input).toEqual(one?.json.content[0].input);
});

test("a folder of thousands of entries is listed to its end, and read up to a bound", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 2_345 }, (_, at) => [`f${at}.ts`, `export const name${at} = ${at};\n`]),
  );
  const { root } = await survey(folder(files));
  expect(mapOf(root).subtree).toMatchObject({
    files: 2_345,
    lines: 240,
    unread: 2_345 - 240,
    exports: { count: 2_345 },
  });
  expect(mapOf(root).subtree.exports.first).toHaveLength(50);
  expect(root.turns).toBeLessThan(15);
});

test("results that were cut are read to their end: listings, searches, and what children report", async () => {
  const long = "a-very-long-name-that-makes-listings-long-".repeat(4);
  const files = Object.fromEntries(
    Array.from({ length: 150 }, (_, at) => [`${long}${at}.ts`, `export const ${"x".repeat(100)}${at} = 1;\n`]),
  );
  const children = Object.fromEntries(
    Array.from({ length: 9 }, (_, at) => [
      `child${at}/${long}.ts`,
      Array.from(
        { length: 60 },
        (_, n) => `export const someLongName${at}x${n} = 1; // ${MARK} ${"y".repeat(50)}\n`,
      ).join(""),
    ]),
  );
  for (const waitLines of [true, false]) {
    const { root } = await survey(folder({ ...files, ...children }), { waitLines });
    const { subtree } = mapOf(root);
    expect(subtree).toMatchObject({
      files: 159,
      agents: 10,
      missing: { count: 0 },
      exports: { count: 150 + 540 },
      fixmes: { count: 540 },
    });
    expect(root.calls.some(({ name }) => name === "read_artifact")).toBe(true);
    expect(root.calls.filter(({ name }) => name === "wait_for_agents").length).toBeGreaterThan(2);
  }
});

test("a map fits an answer, however many subfolders there are", async () => {
  const { root } = await survey(folder({ ...manyFolders(300), "zz/big.txt": "z\n".repeat(999) }), { maxTokens: 2_000 });
  const map = mapOf(root);
  expect(map.subtree).toMatchObject({ agents: 302, files: 301 });
  expect(map.subfoldersLeftOut).toBe(301 - map.subfolders.length);
  expect(map.subfolders.length).toBeGreaterThan(10);
  expect(map.subfolders.at(-1).folder).toBe("zz");
  expect(root.artifacts.get("map.md")).toMatch(/\d+ smaller folders are not shown/);
});

test("S3: children that failed, were cancelled or talk nonsense are counted and named", async () => {
  const ends: Options["ends"] = (name) => {
    if (name === "broken") return { status: "failed", error: "AGENT_FAILED: no more turns" };
    if (name === "stopped") return { status: "cancelled" };
    return name === "odd" ? { status: "completed" } : undefined;
  };
  const fails: Options["fails"] = (_agent, tool, { name }) =>
    tool === "spawn_agent" && name === "refused" ? "LEVELS_EXCEEDED: too deep" : undefined;
  const names = ["broken", "stopped", "odd", "refused", "fine"];
  const { root } = await survey(folder(Object.fromEntries(names.map((name) => [`${name}/a.ts`, "a\n"]))), {
    ends,
    fails,
  });
  expect(mapOf(root).subtree).toMatchObject({
    agents: 2,
    files: 1,
    missing: {
      count: 4,
      first: [
        { path: "broken", why: "failed: AGENT_FAILED: no more turns" },
        { path: "odd", why: "completed" },
        { path: "refused", why: "not started: LEVELS_EXCEEDED: too deep" },
        { path: "stopped", why: "cancelled" },
      ],
    },
  });
  expect(root.output).toContain("4 missing");
});

test("S3: a child whose folder vanished is missing; a file that did is unread; a failed search finds nothing", async () => {
  const fails: Options["fails"] = (agent, tool, { path = "" }) =>
    (agent === "gone" && tool === "list_files") || path.endsWith("b.ts") || (tool === "search_files" && path === ".")
      ? `${path} is not there`
      : undefined;
  const { root } = await survey(folder({ "a.ts": "export const a = 1;\n", "b.ts": "b\n", "gone/c.ts": "c\n" }), {
    fails,
  });
  expect(mapOf(root).subtree).toMatchObject({
    files: 2,
    lines: 1,
    unread: 1,
    exports: { count: 0 },
    missing: { count: 1, first: [{ path: "gone", why: "completed: Could not survey gone: gone is not there" }] },
  });
});

test("S2: an interrupted call is made again a few times, and no more", async () => {
  const root = folder(small);
  const { root: calm } = await survey(root);
  const once: Options["fails"] = (_agent, _tool, _input, attempt) =>
    attempt === 1 ? "Interrupted: its outcome is unknown." : undefined;
  const { root: shaken } = await survey(root, { fails: once });
  expect(shaken.artifacts.get("map.json")).toBe(calm.artifacts.get("map.json"));
  const always: Options["fails"] = (_agent, tool) => (tool === "read_file" ? "Interrupted." : undefined);
  const { root: stuck } = await survey(root, { fails: always });
  expect(mapOf(stuck).subtree).toMatchObject({ lines: 0, unread: 7 });
  expect(stuck.turns).toBeLessThan(10);
});

test("tools that are not offered are done without", async () => {
  const { root } = await survey(folder(small), { without: ["spawn_agent", "search_files"] });
  expect(mapOf(root).subtree).toMatchObject({
    agents: 1,
    files: 3,
    missing: { count: 2, first: [{ path: "lib", why: "not started: there is no tool spawn_agent" }, {}] },
  });
  expect((await survey(folder(small), { without: ["list_files"] })).root.output).toBe(
    "Could not survey .: there is no tool list_files",
  );
});

test("an artifact that cannot be written is said, and the survey still reports", async () => {
  const fails: Options["fails"] = (_agent, tool) => (tool === "write_artifact" ? "QUOTA" : undefined);
  const { root } = await survey(folder({ "a.ts": "a\n" }), { fails });
  expect(root.output).toContain("map.json was not written: QUOTA");
  expect(parseReport(root.output)).toMatchObject({ files: 1 });
});

test("messages on the way do not change the plan; anything but a survey is declined", async () => {
  const provider = createProvider({ mind: surveyMind() });
  const tools = [{ name: "list_files", input_schema: { type: "object" } }];
  const task = { role: "user", content: "survey this source tree" };
  const more = { role: "user", content: "Mind the new API." };
  const plain = await ask(provider, { messages: [task], tools });
  expect((await ask(provider, { messages: [task, more], tools })).json.content[0].input).toEqual(
    plain.json.content[0].input,
  );
  expect((await ask(provider, { messages: [more], tools })).json.content[0].text).toMatch(/survey this source tree/);
});

test("a report stays below what is shown whole, with true counts", () => {
  const path = "p".repeat(250);
  const none = { agents: 1, levels: 1, folders: 1, files: 1, bytes: 1, lines: 1, unread: 0, languages: {} };
  const first = Array.from({ length: 20 }, (_, line) => ({ path, line, text: '"'.repeat(60) }));
  const totals = {
    ...none,
    largest: [],
    exports: { count: 0, first: [] },
    fixmes: { count: 99, first },
    missing: { count: 0, first: [] },
  };
  const text = report(".", totals, []);
  expect(JSON.stringify([{ output: text }]).length).toBeLessThan(8_192);
  expect(parseReport(text)?.fixmes).toMatchObject({ count: 99, first: expect.arrayContaining([first[0]]) });
});

test("names that are shown as JSON text are taken as what they mean", () => {
  const listing = parseListing(
    '.: 3 entries\nd "a\\nb"/\nf "\\u202ec.ts" 7\nf 9" nail.ts 8\n... 4 more; continue with offset 3',
  );
  expect(listing).toMatchObject({
    folders: ["a\nb"],
    files: [{ name: "\u202ec.ts" }, { name: '9" nail.ts' }],
    next: 3,
  });
});

test("tasks and names", () => {
  expect(folderOf("Survey the folder a/b.c.")).toBe("a/b.c");
  expect(folderOf("[message from parent]\nSurvey the folder x y.\n")).toBe("x y");
  expect(folderOf("Please survey this source tree, thoroughly")).toBe(".");
  expect(folderOf("sing")).toBeUndefined();
  const names = [...agentNames(["src", "@types", "types", ".bin", "SRC", "ü", "a".repeat(70)]).values()];
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
  expect(names.slice(0, 3)).toEqual(["src", expect.stringMatching(/^types-[0-9a-f]{8}$/), "types"]);
});

test.each([
  ["export default async function* run() {", ["run"]],
  ["export abstract class A {", ["A"]],
  ["  export type T = 1", ["T"]],
  ["export { a, b as c, type D }", ["a", "c", "D"]],
  ["export default 1", []],
  ["exports.x = 1", ["x"]],
  ["class Local {", []],
  ["async def go():", ["go"]],
  ["func New() *T {", ["New"]],
  ["pub struct S;", ["S"]],
])("exported names of %s", (text, names) => {
  expect(exportedNames({ path: "p", line: 1, text })).toEqual(names);
  expect(new RegExp(EXPORTS).test(text)).toBe(names.length > 0);
});

function manyFolders(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`many${at}/file.ts`, `export const many${at} = 1;\n`]),
  );
}

function walk(path: string): { folders: number; files: number; bytes: number; lines: number } {
  const sum = { folders: 1, files: 0, bytes: 0, lines: 0 };
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) {
      const { folders, files, bytes, lines } = walk(below);
      sum.folders += folders;
      sum.files += files;
      sum.bytes += bytes;
      sum.lines += lines;
    } else if (entry.isFile()) {
      sum.files++;
      sum.bytes += lstatSync(below).size;
      const text = readFileSync(below, "utf8");
      sum.lines += text.split("\n").length - (text.endsWith("\n") || text === "" ? 1 : 0);
    }
  }
  return sum;
}
