/**
 * A real fleet in a temporary folder, with a model that does what the newest message says: `wait` never answers, `fail` fails for
 * good, `write NAME TEXT` writes an artifact, and anything else is answered with `done: ` and the message.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Agent } from "../../src/runtime/agent.ts";
import { Banyan, type BanyanOptions } from "../../src/runtime/banyan.ts";
import { artifacts } from "../../src/tools/kits.ts";
import { type Asked, handFed, type Reply, type ScriptedModel, scriptedModel, usageOf } from "./models.ts";

export interface Fleet extends AsyncDisposable {
  readonly folder: string;
  readonly banyan: Banyan;
  readonly model: ScriptedModel;
  /** A chat agent at level 0 that has answered its task. */
  lead(name?: string): Promise<Agent>;
  /** Resolves when the agent shows the status, such as `held`, or `waiting message` with what it waits for. */
  became(agent: Agent, status: string): Promise<void>;
}

export async function openFleet(options: BanyanOptions = {}): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-test-"));
  const model = scriptedModel(obey);
  const banyan = await Banyan.open(folder, { ...options, models: [model] });
  return {
    folder,
    banyan,
    model,
    async lead(name = "lead") {
      const price = { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1.25 };
      const agent = await banyan.spawn({ name, model, mode: "chat", task: "hello", tools: [artifacts()], price });
      await became(banyan, agent, "waiting message");
      return agent;
    },
    became: (agent, status) => became(banyan, agent, status),
    async [Symbol.asyncDispose]() {
      await banyan.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function became({ runtime: { coordinator } }: Banyan, agent: Agent, status: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      const { waitingFor } = agent.head;
      if (agent.status !== status && `${agent.status} ${waitingFor}` !== status) return;
      forget();
      resolve();
    };
    const forget = coordinator.watch(look);
    look();
  });
}

function obey({ prompt }: Asked): Reply {
  const last = prompt.at(-1);
  const text = last?.role === "user" ? last.content.map((part) => ("text" in part ? part.text : "")).join("") : "";
  const [word, name = "", ...rest] = text.trim().split(" ");
  if (last?.role === "tool") return "written";
  if (word === "wait") return handFed().stream;
  if (word === "fail") return new Error("refused for good");
  if (word === "write") {
    const content = rest.length > 0 ? rest.join(" ") : `The ${name}.`;
    return { calls: [{ id: `write-${name}`, name: "write_artifact", input: { name, content } }] };
  }
  return { text: `done: ${text}`, usage: usageOf(1_000, 100, 200) };
}
