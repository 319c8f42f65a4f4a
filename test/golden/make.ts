/**
 * Makes the golden data of the current format, once, when the format is released: `node test/golden/make.ts`. A life with a
 * child, a long result, an artifact, a fork, a fork of a subtree, a rewind, a checkpoint, a hold and a tree in the archive. Never run again for a
 * released format: the data stay what they were, and every later Banyan must read them.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { artifacts, Banyan, defineTool, spawning } from "../../src/index.ts";
import { archiveRuntime } from "../../src/runtime/archive.ts";
import { scriptedModel } from "../../src/testing.ts";
import { FORMATS, statesOf } from "./states.ts";

const report = defineTool({
  name: "report",
  description: "Answers at length.",
  input: z.strictObject({ lines: z.int() }),
  onUnknownOutcome: "rerun",
  run: ({ lines }) => Array.from({ length: lines }, (_, line) => `line ${line}: grüße, 你好`).join("\n"),
});

const model = scriptedModel((turn, prompt) => {
  const isChild = JSON.stringify(prompt).includes("Do your part.");
  if (isChild) return turn === 0 ? { calls: [{ tool: "report", input: { lines: 20 } }] } : "my part is done";
  if (turn === 0) return { calls: [{ tool: "report", input: { lines: 900 } }, { tool: "spawn_agent", input: { name: "part", task: "Do your part." } }] };
  if (turn === 1) return { calls: [{ tool: "wait_for_agents", input: {} }] };
  if (turn === 2) return { calls: [{ tool: "write_artifact", input: { name: "whole.md", content: "# Whole\n" } }] };
  return "all done";
});

const folder = join(import.meta.dirname, FORMATS.at(-1) ?? "");
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
{
  await using banyan = await Banyan.open(folder, { tools: [report] });
  const price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };
  const lead = await banyan.spawn({ name: "lead", model, price, budget: { costUsd: 5 }, task: "Do the whole.", tools: [report, artifacts(), spawning()] });
  await lead.result();
  await lead.checkpoint("done");
  const entries = await lead.messages();
  const answered = entries[1]?.seq ?? 1;
  const alone = await lead.fork({ at: answered, name: "alone" });
  await alone.result();
  await (await lead.fork({ at: entries[2]?.seq ?? 1, subtree: true, name: "whole-tree" })).result();
  await lead.rewind(answered);
  await lead.result();
  const chat = await banyan.spawn({ name: "chat", model, mode: "chat", tools: [report] });
  await chat.pause({ reason: "kept for the test" });
  await archiveRuntime(banyan.runtime, { root: alone.id });
}
await writeFile(join(folder, "states.json"), `${JSON.stringify(await statesOf(folder), null, 1)}\n`);
// What a closed journal needs is its database and the witness.
for (const file of ["journal.db-shm", "journal.db-wal", "owner.lock", "owner.lock.pid"]) {
  await rm(join(folder, "journal", file), { force: true });
}
