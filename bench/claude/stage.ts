/** What the benches of Claude Code share: the SDK of the tests, a provider that answers at once, and plain sessions of the SDK beside ours. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import type { ClaudeSdk } from "../../src/drivers/claude/sdk.ts";
import { type Agent, Banyan, type BanyanOptions, claude } from "../../src/index.ts";
import type { MessagesRequest } from "../../src/simulator/messages-api.ts";
import type { Reply } from "../../src/simulator/mind.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";

const SDK = fileURLToPath(
  new URL("../../test/drivers/claude/sdk/node_modules/@anthropic-ai/claude-agent-sdk/sdk.mjs", import.meta.url),
);
const MODEL = "claude-sonnet-4-5";

/** Why the benches cannot run here; undefined when they can. */
export function missing(): string | undefined {
  return existsSync(SDK)
    ? undefined
    : "the SDK is not installed: npm ci --ignore-scripts --prefix test/drivers/claude/sdk";
}

/** The SDK as anybody uses it. */
export interface PlainSdk extends ClaudeSdk {
  query(parameters: {
    prompt: string | AsyncIterable<unknown>;
    options: object;
  }): AsyncIterable<PlainMessage> & ReturnType<ClaudeSdk["query"]>;
}
interface PlainMessage {
  readonly type: string;
  readonly event?: { readonly type: string };
}

/** What an agent says, by the name that its instructions begin with. `turn` is 0 at first. */
export type Parts = Readonly<Record<string, (turn: number, request: MessagesRequest) => Reply | string>>;

export class BenchStage implements AsyncDisposable {
  readonly sdk: PlainSdk;
  readonly simulator: Simulator;
  readonly folder: string;
  readonly #home: string;
  readonly #open: Banyan[] = [];

  private constructor(sdk: PlainSdk, simulator: Simulator, home: string) {
    this.sdk = sdk;
    this.simulator = simulator;
    this.#home = home;
    this.folder = join(home, "work");
  }

  static async set(parts: Parts): Promise<BenchStage> {
    const mind = scriptedMind((request) => {
      const { system, messages } = request;
      const instructions = typeof system === "string" ? system : (system?.at(-1)?.text ?? "");
      const part = parts[instructions.split(" ")[0] ?? ""];
      return part?.(messages.filter(({ role }) => role === "assistant").length, request) ?? "Done.";
    });
    const simulator = await startSimulator({ mind, clock: systemClock(), random: seededRandom(1) });
    const home = await mkdtemp(join(tmpdir(), "banyan-bench-claude-"));
    const stage = new BenchStage((await import(pathToFileURL(SDK).href)) as PlainSdk, simulator, home);
    await mkdir(stage.folder);
    return stage;
  }

  async open(name: string, options: BanyanOptions = {}): Promise<Banyan> {
    const how = { baseUrl: this.simulator.url, apiKey: "bench", sdk: () => Promise.resolve(this.sdk) };
    const banyan = await Banyan.open(join(this.#home, name), { runningMax: 1_000, ...options, claude: how });
    this.#open.push(banyan);
    return banyan;
  }

  driver(...tools: ("Bash" | "Read")[]) {
    return claude({ model: MODEL, tools, folder: this.folder });
  }

  #optionsOf(home: string): object {
    return {
      cwd: this.folder,
      model: MODEL,
      systemPrompt: "plain",
      tools: ["Bash", "Read"],
      settingSources: [],
      includePartialMessages: true,
      env: {
        ...{ PATH: process.env.PATH, HOME: home, TMPDIR: home, CLAUDE_CONFIG_DIR: join(home, ".claude") },
        ...{ ANTHROPIC_BASE_URL: this.simulator.url, ANTHROPIC_API_KEY: "bench" },
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      },
    };
  }

  /** Milliseconds from `query()` to the first event of the model's stream, as anybody would do it. */
  async cold(): Promise<number> {
    const home = await mkdtemp(join(this.#home, "cold-"));
    const startMs = performance.now();
    const query = this.sdk.query({ prompt: "Go.", options: this.#optionsOf(home) });
    try {
      for await (const { type, event } of query) {
        if (type === "stream_event" && event?.type === "content_block_delta") return performance.now() - startMs;
      }
      throw new Error("it said nothing");
    } finally {
      query.close();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** A session of the SDK that is open, as anybody would keep one: milliseconds from a message to the first words, for each of some. */
  async *plain(): AsyncGenerator<number, void, void> {
    const home = await mkdtemp(join(this.#home, "plain-"));
    let say: () => void = () => undefined;
    let saidMs = 0;
    const input = async function* () {
      for (;;) {
        saidMs = performance.now();
        yield { type: "user", message: { role: "user", content: "Go." }, parent_tool_use_id: null, session_id: "" };
        await new Promise<void>((resolve) => {
          say = resolve;
        });
      }
    };
    const query = this.sdk.query({ prompt: input(), options: this.#optionsOf(home) });
    let isFirst = true;
    try {
      for await (const { type, event } of query) {
        if (type === "stream_event" && event?.type === "content_block_delta") {
          const tookMs = performance.now() - saidMs;
          if (!isFirst) yield tookMs;
          isFirst = false;
        }
        if (type === "result") say();
      }
    } finally {
      query.close();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const banyan of this.#open) await banyan.close();
    await this.simulator.stop();
    await rm(this.#home, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Resolves when the agent's model is heard for the first time from now on. */
export function heard(banyan: Banyan, of: () => string): Promise<number> {
  return new Promise((resolve) => {
    const stop = banyan.runtime.coordinator.watchDeltas((agent) => {
      if (agent !== of()) return;
      stop();
      resolve(performance.now());
    });
  });
}

export async function until(holds: () => boolean, limitMs = 120_000): Promise<void> {
  const startMs = performance.now();
  while (!holds()) {
    if (performance.now() - startMs > limitMs) throw new Error("what was waited for did not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Resolves to the first event that fits. */
export async function seen(agent: Agent, fits: (type: string) => boolean, after = 0): Promise<number> {
  for await (const { seq, event } of agent.events()) if (seq > after && fits(event.type)) return seq;
  throw new Error("it ended before that");
}
