/**
 * A process in which agents work without end while their pasts are restored, as fast as it can, until someone kills it:
 *
 *     node test/e2e/restore-host.ts FOLDER SEED
 *
 * It tells of each restore in a line of JSON: the agent, the event, and a hash of the whole state.
 */
import { hash } from "node:crypto";
import { writeSync } from "node:fs";
import { sleep, systemClock } from "../../src/base/clock.ts";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { foldAgent } from "../../src/coordinator/fold.ts";
import { Banyan } from "../../src/index.ts";
import type { Tool } from "../../src/tools/tool.ts";
import { type ScriptedModel, scriptedModel } from "../support/models.ts";
import { plainOf } from "./plain-state.ts";

const AGENTS = 12;
/** An agent that had so many turns gives its answer, and another one begins. */
const TURNS_MAX = 150;

const [folder = "", seed = "1"] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const clock = systemClock();
let asked = 0;

const note: Tool = {
  name: "note",
  description: "Notes something.",
  inputSchema: { type: "object" },
  onUnknownOutcome: "rerun",
  run: async () => "noted: ".padEnd(200 + randomInt(random, 800), "word "),
};

const model: ScriptedModel = scriptedModel(({ prompt }) => {
  if (prompt.length > 2 * TURNS_MAX) return "That is all.";
  asked += 1;
  // It would keep every prompt.
  model.asked.length = 0;
  return { text: `thought ${asked} `.repeat(20), calls: [{ id: `${seed}-${asked}`, name: "note", input: { asked } }] };
});

const banyan = await Banyan.open(folder, { models: [model], tools: [note], snapshotTailMin: 16 * 1024 });
const { coordinator, services } = banyan.runtime;
const { journal, snapshots } = services;

async function spawnMissing(): Promise<void> {
  const living = banyan.roots().filter(({ status }) => status !== "completed" && status !== "failed");
  for (let count = living.length; count < AGENTS; count++) {
    await banyan.spawn({ name: "worker", model, task: "Go on.", tools: [note] });
  }
}

for (;;) {
  await spawnMissing();
  // The agents have their turn.
  await sleep(clock, 0);
  const nodes = [...coordinator.forest.nodes()];
  const head = nodes[randomInt(random, nodes.length)]?.head;
  if (!head) continue;
  const at = 1 + randomInt(random, head.seq);
  const { state } = await foldAgent({ journal, snapshots }, head.agent, at);
  const line = { agent: head.agent, at, hash: hash("sha256", JSON.stringify(plainOf(state))) };
  writeSync(1, `${JSON.stringify(line)}\n`);
}
