/** Output that outlives its host: what is in the file, whose it is, and what becomes of it. */
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock, systemClock } from "../../src/base/clock.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { createRedactor } from "../../src/base/redact.ts";
import { type DraftOf, type Drafts, openDrafts } from "../../src/processes/drafts.ts";
import { Run } from "../../src/processes/run.ts";
import { idOf } from "../conformance/journal-world.ts";
import { TestLaunched } from "../support/launches.ts";
import { PLAIN_POLICY } from "../support/processes.ts";

const [agent, id] = [idOf(1), idOf(2)];
const PROGRAM = { argv: ["serve"], cwd: ".", rights: { commands: true, spawn: false }, mark: "m" };

let folder: string;
let clock: ManualClock;
let drafts: Drafts;
const runs: Run[] = [];

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "banyan-drafts-")), "drafts");
  clock = new ManualClock();
  drafts = openDrafts({ folder, clock });
});

afterEach(async () => {
  for (const run of runs.splice(0)) await run.forget(true);
  await rm(join(folder, ".."), { recursive: true, force: true });
});

function running(pid = 1_000, secrets: string[] = []) {
  const launched = new TestLaunched(PROGRAM, pid);
  const of: DraftOf = { agent, id, system: launched.system };
  const run = new Run(launched, {
    ...{ policy: { ...PLAIN_POLICY, outputBytesMax: 16 * 2 ** 20 }, redact: createRedactor({ secrets }) },
    draft: (source) => drafts.begin(of, source),
    store: async (bytes) => {
      for await (const _ of bytes);
      return { digest: `sha256:${"0".repeat(64)}`, bytes: 0 };
    },
    onLimit: () => undefined,
  });
  runs.push(run);
  return { launched, run, of };
}

/** What the next host would have of the run, once it holds. */
async function written(of: DraftOf, holds: (text: string) => boolean): Promise<string> {
  for (;;) {
    clock.advance(LIMITS.processDraftMs);
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await drafts.read(of)) ?? []) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    if (holds(text)) return text;
    await new Promise<void>((resolve) => systemClock().timer(1, resolve));
  }
}

test("D1: the file has what was put out, redacted wherever a secret is cut, and is its owner's alone", async () => {
  const { launched, of } = running();
  launched.say("one\n");
  expect(await written(of, (text) => text !== "")).toBe("one\n");
  const [name = ""] = await readdir(folder);
  expect((await lstat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect((await lstat(folder)).mode & 0o777).toBe(0o700);
  const secret = `sk-ant-${"a1B2".repeat(12)}`;
  launched.say(`key ${secret.slice(0, 20)}`);
  expect(await written(of, (text) => text.length > 4)).toBe("one\nkey ");
  launched.say(`${secret.slice(20)}\ntwo\n`);
  const whole = "one\nkey [redacted:anthropic]\ntwo\n";
  expect(await written(of, (text) => text.endsWith("two\n"))).toBe(whole);
  expect(await readFile(join(folder, name), "utf8")).toBe(whole);
});

test("D1: what became shorter as more came leaves nothing behind it", async () => {
  const secret = "the passphrase of several words that is long";
  const { launched, of } = running(1_000, [secret]);
  launched.say(`it is ${secret.slice(0, -5)} `.trimEnd());
  await written(of, (text) => text.includes("several words"));
  launched.say(secret.slice(-5));
  launched.say(" .\n");
  expect(await written(of, (text) => text.endsWith(".\n"))).toMatch(/^it is \[redacted[^\]]*\] \.\n$/);
});

test("D1: a long output is whole, in few writes, and its source waits for a disk that is behind", async () => {
  const { launched, of } = running();
  const line = `${"x".repeat(1_023)}\n`;
  for (let count = 0; count < 3 * 1_024; count++) launched.say(line);
  expect(launched.isHeld).toBe(true);
  const text = await written(of, ({ length }) => length >= 3 * 2 ** 20);
  expect(text === line.repeat(3 * 1_024)).toBe(true);
  await written(of, () => !launched.isHeld);
});

test("D2: each run has a file of its own, and only drafts are listed", async () => {
  const [first, second] = [running(1_000), running(1_001)];
  first.launched.say("first\n");
  second.launched.say("second\n");
  expect(await written(first.of, (text) => text !== "")).toBe("first\n");
  expect(await written(second.of, (text) => text !== "")).toBe("second\n");
  for (const name of ["notes", `${agent}.${id}.x.1`, `${agent}.${id}.1.1.1`, `../${agent}.${id}.1.1`.slice(3)]) {
    await writeFile(join(folder, name), "x");
  }
  const listed = (await drafts.list()).map(({ system }) => system.pid).sort((a, b) => a - b);
  expect(listed).toEqual([1, 1_000, 1_001]);
  await first.run.forget(true);
  await first.run.forget(true);
  expect(await drafts.read(first.of)).toBeUndefined();
  await drafts.drop(second.of);
  expect((await drafts.list()).map(({ system }) => system.pid)).toEqual([1]);
});

test("a run whose end is not durable leaves its draft to the next host", async () => {
  const { launched, run, of } = running();
  launched.say("one\n");
  await written(of, (text) => text !== "");
  await run.forget(false);
  expect(await written(of, () => true)).toBe("one\n");
});

test("D3: where nothing can be written the run goes on and ends as it would", async () => {
  await writeFile(folder, "in its place");
  const { launched, run, of } = running();
  launched.say("one\n");
  launched.exit(0);
  expect(await run.end(await launched.exited)).toMatchObject({ how: "exited", code: 0 });
  await run.forget(true);
  expect([await drafts.read(of), await drafts.list(), launched.isHeld]).toEqual([undefined, [], false]);
});

test("a run that puts nothing out leaves no folder", async () => {
  const { run } = running();
  await run.forget(true);
  await expect(readdir(folder)).rejects.toMatchObject({ code: "ENOENT" });
});
