/**
 * A runtime just large enough for the survey: the contract of the tools over a real folder, agents as conversations, and
 * results over 8 KiB replaced by their head and a reference. What can go wrong is set by the test.
 */
import { hash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Provider } from "../../../src/simulator/provider.ts";
import { ask } from "../in-process.ts";

export interface Options {
  readonly root: string;
  readonly provider: Provider;
  readonly maxTokens?: number;
  /** Why a call fails, or undefined when it does not. `attempt` counts the same call from 1. */
  readonly fails?: (agent: string, tool: string, input: Input, attempt: number) => string | undefined;
  /** How a child ends instead of working. */
  readonly ends?: (agent: string) => { status: string; error?: string } | undefined;
  /** Order in which calls of a turn are carried out. */
  readonly order?: (calls: readonly Call[]) => readonly Call[];
  /** One child a line, or all of a wait's answer in one line. */
  readonly waitLines?: boolean;
  /** Tools not offered. */
  readonly without?: readonly string[];
}

export interface Agent {
  readonly name: string;
  readonly level: number;
  readonly task: string;
  turns: number;
  readonly calls: Call[];
  output: string;
  readonly artifacts: Map<string, string>;
  readonly children: Map<string, Promise<Ended>>;
}

interface Ended {
  name: string;
  status: string;
  output: string;
  artifacts: object[];
  error?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: inputs and blocks of the wire
type Input = any;
export interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: Input;
}

const TOOLS = [
  "list_files",
  "read_file",
  "search_files",
  "write_artifact",
  "read_artifact",
  "spawn_agent",
  "wait_for_agents",
  "send_message",
];
const INLINE_BYTES_MAX = 8 * 1024;
const HEAD_LENGTH = 2 * 1024;
const TURNS_MAX = 200;

export class FakeRuntime {
  readonly agents: Agent[] = [];
  readonly #options: Options;
  readonly #blobs = new Map<string, string>();
  readonly #attempts = new Map<string, number>();

  constructor(options: Options) {
    this.#options = options;
  }

  async run(task = "survey this source tree", name = "root", level = 0): Promise<Agent> {
    const agent: Agent = {
      name,
      level,
      task,
      turns: 0,
      calls: [],
      output: "",
      artifacts: new Map(),
      children: new Map(),
    };
    this.agents.push(agent);
    const messages: { role: "user" | "assistant"; content: Input }[] = [{ role: "user", content: task }];
    const tools = TOOLS.filter((tool) => !this.#options.without?.includes(tool)).map((tool) => ({
      name: tool,
      input_schema: { type: "object" },
    }));
    for (;;) {
      if (++agent.turns > TURNS_MAX) throw new Error(`${name} does not end`);
      const body = { messages, tools, max_tokens: this.#options.maxTokens ?? 8_192, system: "Do as you are told." };
      const { json, text } = await ask(this.#options.provider, body);
      if (!json?.content) throw new Error(text);
      if (json.stop_reason === "max_tokens") throw new Error(`${name}: the answer was cut`);
      messages.push({ role: "assistant", content: json.content });
      const calls: Call[] = json.content.filter(({ type }: Input) => type === "tool_use");
      if (calls.length === 0) {
        agent.output = json.content[0].text;
        return agent;
      }
      agent.calls.push(...calls);
      messages.push({ role: "user", content: await this.#results(agent, calls) });
    }
  }

  async #results(agent: Agent, calls: readonly Call[]): Promise<object[]> {
    const results = new Map<string, Promise<{ text: string; failed: boolean }>>();
    for (const call of this.#options.order?.(calls) ?? calls) {
      const done = Promise.resolve(this.#carryOut(agent, call)).then(
        (text) => ({ text: this.#shown(text), failed: false }),
        (error: Error) => ({ text: error.message, failed: true }),
      );
      results.set(call.id, done);
    }
    return Promise.all(
      calls.map(async ({ id }) => {
        const { text = "", failed } = (await results.get(id)) ?? {};
        return { type: "tool_result", tool_use_id: id, content: text, is_error: failed };
      }),
    );
  }

  async #carryOut(agent: Agent, { name, input }: Call): Promise<string> {
    const key = JSON.stringify([agent.task, name, input]);
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    const failure = this.#options.fails?.(agent.name, name, input, attempt);
    if (failure !== undefined) throw new Error(failure);
    switch (name) {
      case "list_files":
        return this.#list(input);
      case "read_file":
        return lines(input.path, readFileSync(join(this.#options.root, input.path)), input);
      case "search_files":
        return this.#search(input);
      case "write_artifact":
        agent.artifacts.set(input.name, input.content);
        return `artifact ${input.name} sha256:${hash("sha256", input.content)} ${Buffer.byteLength(input.content)} bytes`;
      case "read_artifact":
        return lines(input.ref, Buffer.from(this.#blobs.get(input.ref) ?? ""), input);
      case "spawn_agent":
        return this.#spawn(agent, input);
      case "wait_for_agents":
        return this.#wait(agent, input);
      default:
        throw new Error(`no tool ${name}`);
    }
  }

  #list({ path, offset = 0, limit = 1_000 }: Input): string {
    const entries = readdirSync(join(this.#options.root, path), { withFileTypes: true })
      .map((entry) => {
        if (entry.isSymbolicLink()) return { name: entry.name, line: `l ${entry.name}` };
        if (entry.isDirectory()) return { name: entry.name, line: `d ${entry.name}/` };
        const { size } = lstatSync(join(this.#options.root, path, entry.name));
        return { name: entry.name, line: `f ${entry.name} ${size}` };
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const page = entries.slice(offset, offset + limit).map(({ line }) => line);
    const more = entries.length - offset - limit;
    const end = more > 0 ? [`... ${more} more; continue with offset ${offset + limit}`] : [];
    return [`${path}: ${entries.length} entries`, ...page, ...end].join("\n");
  }

  #search({ path, pattern, limit = 200 }: Input): string {
    const expression = new RegExp(pattern);
    const folder = join(this.#options.root, path);
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
    const matches = files
      .map(({ name }) => name)
      .sort()
      .flatMap((name) =>
        readFileSync(join(folder, name), "utf8")
          .split("\n")
          .flatMap((text, at) =>
            expression.test(text) ? [`${path === "." ? "" : `${path}/`}${name}:${at + 1}:${text.slice(0, 200)}`] : [],
          ),
      );
    const cut = matches.length > limit ? `, first ${limit} shown` : "";
    return [`${matches.length} matches${cut}`, ...matches.slice(0, limit)].join("\n");
  }

  #spawn(agent: Agent, { name, task }: Input): string {
    const ends = this.#options.ends?.(name);
    const child = ends
      ? Promise.resolve({ name, output: "", artifacts: [], ...ends })
      : this.run(task, name, agent.level + 1).then(({ output, artifacts }) => ({
          name,
          status: "completed",
          output,
          artifacts: [...artifacts.keys()].map((artifact) => ({ name: artifact })),
        }));
    agent.children.set(name, child);
    return `agent ${name} started`;
  }

  async #wait(agent: Agent, { names }: Input): Promise<string> {
    const wanted: string[] = names ?? [...agent.children.keys()];
    const strange = wanted.find((name) => !agent.children.has(name));
    if (strange) throw new Error(`you started no agent ${strange}`);
    const ended = await Promise.all(wanted.map((name) => agent.children.get(name)));
    const each = ended.map((end) => JSON.stringify(end));
    return this.#options.waitLines ? `[\n${each.join(",\n")}\n]` : `[${each.join(",")}]`;
  }

  #shown(text: string): string {
    const bytes = Buffer.byteLength(text);
    if (bytes <= INLINE_BYTES_MAX) return text;
    const ref = `sha256:${hash("sha256", text)}`;
    this.#blobs.set(ref, text);
    return `${text.slice(0, HEAD_LENGTH)}\n[cut: ${bytes} bytes in total; read the rest with read_artifact ref=${ref}]`;
  }
}

function lines(
  label: string,
  bytes: Buffer,
  { offset = 1, limit = 2_000 }: { offset?: number; limit?: number },
): string {
  if (bytes.subarray(0, 8_192).includes(0)) return `${label}: binary, ${bytes.length} bytes`;
  const all = bytes.toString().replace(/\n$/, "").split("\n");
  const total = bytes.length === 0 ? 0 : all.length;
  const page = total === 0 ? [] : all.slice(offset - 1, offset - 1 + limit);
  return [`${label}: lines ${offset}-${offset + page.length - 1} of ${total}, ${bytes.length} bytes`, ...page].join(
    "\n",
  );
}
