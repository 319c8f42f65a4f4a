/**
 * A process to be killed: a lively fleet on a real disk, and people who hold, release, rewind, fork, interrupt, cancel and write to
 * its agents while they work. It tells of every acknowledged event and verb, and of every run of a tool, by a line on its standard
 * output. SIGTERM closes it.
 *
 *     node test/e2e/lively-fleet.ts FOLDER SEED
 */
import { flushCompileCache } from "node:module";
import type { Head } from "../../src/agent/state.ts";
import { hasEnded } from "../../src/agent/status.ts";
import { sleep, systemClock } from "../../src/base/clock.ts";
import { pick, randomInt, seededRandom } from "../../src/base/random.ts";
import { type Agent, Banyan, BanyanError } from "../../src/index.ts";
import { hashOf, livelyModel, livelyTools } from "./lively-model.ts";

/** Agent, sequence, and the hash of the agent's head after that event; no hash when the head is not known. */
type ToldHead = readonly [agent: string, seq: number, hash: string];
export type Told =
  | { readonly at: "opening" | "opened" | "closing" | "closed" | "done"; heads?: ToldHead[]; damaged?: number }
  | { readonly event: ToldHead }
  | { readonly did: string; readonly agent: string; readonly message?: string }
  | { readonly ran: string };

const ROOTS = 3;
/** Verbs that the people of one process ask for; afterwards they only see to it that everything ends. */
const DEEDS_MAX = 60;
const AGENTS_MAX = 90;

const [folder, seedText] = process.argv.slice(2);
if (!folder || !seedText) throw new Error("which folder, and which seed?");
const seed = Number(seedText);
const random = seededRandom(seed);
const clock = systemClock();
const model = livelyModel(seed, clock);
const { own, kits } = livelyTools(clock, (ran) => tell({ ran }));

// Without whoever would kill it, it would work for ever.
process.stdin.resume().once("end", () => process.exit(1));
process.stdin.unref?.();
// One that is killed would leave the next one nothing of what it compiled.
flushCompileCache();
tell({ at: "opening" });
const banyan = await Banyan.open(folder, { models: [model], tools: own, forksPerMinute: 10_000 });
const { coordinator } = banyan.runtime;
coordinator.watch((_agent, recorded, head) => {
  const last = recorded.at(-1);
  // A fork's head lacks what follows from its past until that is read: the sequence says all there is.
  const isBirth = recorded.some(({ event }) => event.type === "agent.forked");
  if (last) tell({ event: isBirth ? [head.agent, last.seq, ""] : told(head, last.seq) });
});
tell({
  at: "opened",
  damaged: banyan.recovery.damaged.length,
  heads: [...coordinator.forest.nodes()].map(({ head }) => told(head)),
});
process.once("SIGTERM", () => {
  tell({ at: "closing" });
  void banyan.close().then(() => tell({ at: "closed" }));
});

try {
  while (banyan.roots().length < ROOTS) await banyan.spawn({ name: "root", model, task: "grow 2", tools: kits });
  const people = meddle();
  for (const root of banyan.roots()) await root.result();
  await people;
  tell({ at: "done" });
} catch (error) {
  if (!(error instanceof BanyanError && error.code === "SHUTTING_DOWN")) throw error;
}
await banyan.close();

/** A pipe is written at once, so that what was told is told, whatever comes next. */
function tell(what: Told): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function told(head: Head, seq = head.seq): ToldHead {
  return [head.agent, seq, hashOf(head)];
}

async function meddle(): Promise<void> {
  for (let deeds = 0; ; deeds++) {
    await sleep(clock, random.next() * 3);
    const living = agents().filter(({ head }) => !hasEnded(head.status));
    if (living.length === 0) return;
    if (deeds < DEEDS_MAX) await meddleWith(pick(random, living)).catch(unlessRefused);
    else for (const agent of living) await nudge(agent).catch(unlessRefused);
  }
}

async function meddleWith(agent: Agent): Promise<void> {
  const did = (what: string, more = {}) => tell({ did: what, agent: agent.id, ...more });
  const mayGrow = agents().length < AGENTS_MAX;
  switch (randomInt(random, 12)) {
    case 0:
    case 1:
      await agent.pause({ reason: "because", interrupt: random.next() < 0.5 });
      return did("pause");
    case 2:
    case 3:
      return nudge(agent);
    case 4:
      if (!mayGrow) return;
      tell({ did: "fork", agent: (await agent.fork({ task: "go on" })).id });
      return;
    case 5:
      if (!mayGrow) return;
      tell({ did: "forkTree", agent: (await agent.fork({ subtree: true })).id });
      return;
    case 6: {
      const ends = (await agent.messages()).map(({ seq }) => seq);
      await agent.rewind(pick(random, [0, ...ends]));
      return did("rewind");
    }
    case 7:
      await agent.interrupt({ subtree: random.next() < 0.5 });
      return did("interrupt");
    case 8:
      await agent.checkpoint(`c${randomInt(random, 5)}`);
      return did("checkpoint");
    case 9:
      if (agent.head.level < 2) return;
      await agent.cancel({ reason: "enough" });
      return did("cancel");
    default: {
      const message = `m-${seed}-${randomInt(random, 1e9)}`;
      const text = random.next() < 0.3 ? "a long word ".repeat(2_000) : "hear this";
      await agent.send(`${message} ${text}`, { id: message });
      return did("send", { message });
    }
  }
}

/** Has an agent go on that waits for a person. */
async function nudge(agent: Agent): Promise<void> {
  const { held, waitingFor } = agent.head;
  if (held) await agent.resume();
  if (waitingFor === "message") await agent.send("go on");
  if (waitingFor !== "approval") return;
  const { open } = await coordinator.state(agent.id);
  for (const { call, state } of open) if (state === "approval") await agent.answer(call.callId, "report");
}

/** The agent moved on meanwhile: a verb that does not fit any more is refused. */
function unlessRefused(error: unknown): void {
  if (!(error instanceof BanyanError) || error.code === "INTERNAL") throw error;
}

function agents(): Agent[] {
  return [...coordinator.forest.nodes()].map(({ head }) => banyan.agent(head.agent));
}
