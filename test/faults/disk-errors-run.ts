/**
 * Work on a disk that fails, for disk-errors.test.ts: run behind the shim, it sets a fault, works, takes the fault away and works on.
 * It ends with an error at the first broken promise, and otherwise prints how many faults struck, by case.
 *
 *     node test/faults/disk-errors-run.ts PART FOLDER CONTROL
 */
import { ok, deepStrictEqual as same } from "node:assert";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BanyanError, ERRORS } from "../../src/base/errors.ts";
import { openFsBlobs } from "../../src/blobs/fs/fs-blobs.ts";
import { Banyan } from "../../src/index.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import { scriptedModel } from "../../src/testing.ts";
import { bytesOf, streamOf } from "../conformance/blobs-world.ts";
import { appendOf, bodies, idOf } from "../conformance/journal-world.ts";
import { type Fault, nameOf, type Struck } from "./disk-errors.ts";

const [part, root, control] = process.argv.slice(2) as [keyof typeof PARTS, string, string];
const PARTS = { journal, blobs, runtime };
const faults = JSON.parse(process.argv[5] ?? "[]") as Fault[];

const struck: Struck[] = [];
for (const [index, fault] of faults.entries()) {
  const folder = join(root, String(index));
  try {
    struck.push({ fault: nameOf(fault), refusals: await PARTS[part](folder, fault) });
  } catch (error) {
    throw new Error(`${part}, ${nameOf(fault)}`, { cause: error });
  }
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(JSON.stringify(struck));

function set({ kind, path, errno, nth, times }: Fault): void {
  writeFileSync(control, `${kind} ${path} ${errno} ${nth} ${times}\n`);
}

function clear(): void {
  writeFileSync(control, "");
}

/** Undefined, or the refusal, which must say what to do. */
async function refusalOf(work: Promise<unknown>): Promise<BanyanError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    const { code, retryable, remedy } = error as BanyanError;
    same({ code, retryable, remedy }, { code: "DISK_FAILED", retryable: true, remedy: ERRORS.DISK_FAILED.remedy });
    return error as BanyanError;
  }
}

/** Appends that fail leave nothing; the same ones are taken when the fault is gone. */
async function journal(folder: string, fault: Fault): Promise<number> {
  const agents = [1, 2, 3].map(idOf);
  const texts = new Map<string, string[]>(agents.map((agent) => [agent, []]));
  let refusals = 0;
  const first = await openSqliteJournal({ folder });
  const append = async (agent: string, text: string) => {
    const known = texts.get(agent) ?? [];
    const refusal = await refusalOf(first.append([appendOf(agent, known.length, text)]));
    if (refusal) refusals += 1;
    else known.push(text);
    return refusal;
  };
  for (const agent of agents) await append(agent, "before");
  set(fault);
  // Large enough that the log is written back into the database, which is more to fail.
  for (let round = 0; round < 4; round += 1) {
    await Promise.all(agents.map((agent) => append(agent, `${round} `.repeat(fault.large ? 250_000 : 100))));
  }
  clear();
  const check = async (journal: typeof first) => {
    for (const [agent, known] of texts) same(await bodies(journal, agent), known);
    same((await journal.verify()).damaged, []);
  };
  await check(first);
  for (const agent of agents) ok(!(await append(agent, "after")), "work goes on when the fault is gone");
  await check(first);
  await first.close();
  const again = await openSqliteJournal({ folder });
  await check(again);
  await again.close();
  return refusals;
}

async function blobs(folder: string, fault: Fault): Promise<number> {
  const first = await openFsBlobs({ folder });
  const before = await first.put(bytesOf(100, 5_000));
  await first.close();
  const store = await openFsBlobs({ folder });
  const all = Array.from({ length: 8 }, (_, index) => bytesOf(index, index < 6 ? 5_000 : 400_000));
  const put = (bytes: Buffer, index: number) => store.put(index % 2 === 0 ? bytes : streamOf(bytes, 2_000));
  set(fault);
  const results: { refusal: unknown; stored: string }[] = [];
  // One after the other: those that are put at once share their writes.
  for (const [index, bytes] of all.entries()) {
    let stored = "";
    const refusal = await refusalOf(put(bytes, index).then(({ digest }) => (stored = digest)));
    results.push({ refusal, stored });
  }
  clear();
  for (const { stored } of results) if (stored) ok(await store.verify(stored as never), "what was put is whole");
  for await (const { digest } of store.list()) ok(await store.verify(digest), "what has a name is whole");
  for (const bytes of all) ok(await store.verify((await store.put(bytes)).digest), "puts go on");
  ok(await store.verify(before.digest));
  await store.close();
  return results.filter(({ refusal }) => refusal).length;
}

/** Agents at work on a failing disk: spawning is refused, those that run wait, and all end by themselves afterwards. */
async function runtime(folder: string, fault: Fault): Promise<number> {
  let failures = 0;
  const relieved = Promise.withResolvers<void>();
  const model = scriptedModel((turn) => (turn < 2 ? { calls: [{ tool: "note", input: { turn } }] } : "done"));
  const note = {
    name: "note",
    description: "Answers at length.",
    inputSchema: { type: "object" },
    onUnknownOutcome: "rerun",
    run: async () => `${failures} `.repeat(6_000),
  } as const;
  const banyan = await Banyan.open(folder, {
    models: [model],
    tools: [note],
    onFault(_agent, error) {
      same((error as BanyanError).code, "DISK_FAILED");
      failures += 1;
      if (failures === 2) {
        clear();
        relieved.resolve();
      }
    },
  });
  const spawn = (name: string) => banyan.spawn({ name, model, task: "go", tools: [note] });
  const agents = await Promise.all(["a", "b", "c"].map(spawn));
  set(fault);
  const late = await refusalOf(spawn("late").then((agent) => agents.push(agent)));
  const ended = Promise.all(agents.map((agent) => agent.result()));
  await Promise.race([ended, relieved.promise]);
  clear();
  for (const { status, output } of await ended) same({ status, output }, { status: "completed", output: "done" });
  same((await (await spawn("after")).result()).status, "completed");
  const ids = agents.map(({ id }) => id);
  await banyan.close();
  same((await verifyFolder(folder)).damaged, []);
  await using again = await Banyan.open(folder, { models: [model], tools: [note] });
  for (const id of ids) same(again.agent(id).status, "completed");
  return failures + (late ? 1 : 0);
}
