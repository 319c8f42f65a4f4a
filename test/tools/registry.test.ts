import { expect, test } from "vitest";
import { z } from "zod";
import type { BanyanError } from "../../src/base/errors.ts";
import { defineTool } from "../../src/tools/define.ts";
import { artifacts, builtInTools, commands, files, kitOf, messaging, spawning } from "../../src/tools/kits.ts";
import { toolRegistry, toolsetText } from "../../src/tools/registry.ts";

const make = (name: string) => defineTool({ name, description: "d", input: z.object({}), run: () => name });

const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return (error as BanyanError).code;
  }
  return undefined;
};

test("R1: another tool of a taken name is refused; the same tool is not", () => {
  const first = make("same");
  const registry = toolRegistry([first, first]);
  registry.register(first);
  expect(codeOf(() => registry.register(make("same")))).toBe("CONFIG_INVALID");
  expect(codeOf(() => toolRegistry([first, make("same")]))).toBe("CONFIG_INVALID");
  expect(registry.find("same")).toBe(first);
});

test.each(["", "a b", "a.b", "ä", "x".repeat(65), "a\n"])("the name %j is refused", (name) => {
  expect(codeOf(() => toolRegistry([make(name)]))).toBe("CONFIG_INVALID");
});

test("tools are found and picked by name", () => {
  const [a, b] = [make("a"), make("b")];
  const registry = toolRegistry([a, b]);
  expect(registry.find("c")).toBeUndefined();
  expect(registry.pick(["b", "a"])).toEqual([b, a]);
  expect(codeOf(() => registry.pick(["a", "c"]))).toBe("TOOL_UNKNOWN");
});

test("the toolset's text holds exactly what the model is shown, in the order given", () => {
  const [a, b] = [make("a"), make("b")];
  const schema = { type: "object", properties: {}, additionalProperties: false };
  expect(JSON.parse(toolsetText([b, a]))).toEqual([
    { name: "b", description: "d", inputSchema: schema },
    { name: "a", description: "d", inputSchema: schema },
  ]);
  expect(toolsetText([make("a")])).toBe(toolsetText([a]));
});

test("kits carry their tools and no more rights than those need", () => {
  const namesOf = ({ tools }: { tools: readonly { name: string }[] }) => tools.map(({ name }) => name);
  expect(namesOf(files({ root: "." }))).toEqual(["list_files", "read_file", "search_files"]);
  expect(files({ root: "." }).rights).toEqual({ root: process.cwd() });
  expect(namesOf(artifacts())).toEqual(["write_artifact", "read_artifact", "list_artifacts"]);
  expect(artifacts().rights).toEqual({});
  expect(namesOf(spawning())).toEqual(["spawn_agent", "wait_for_agents", "list_agents"]);
  expect(spawning().rights).toEqual({ spawn: true });
  expect(namesOf(messaging())).toEqual(["send_message", "wait_for_message"]);
  expect(messaging().rights).toEqual({});
  expect(namesOf(commands())).toEqual(["run_command"]);
  expect(commands().rights).toEqual({ commands: true });
});

test("a tool alone is a kit without rights", () => {
  const tool = make("own");
  expect(kitOf(tool)).toEqual({ tools: [tool], rights: {} });
  const kit = spawning();
  expect(kitOf(kit)).toBe(kit);
});

test("the built-in tools have names of their own, and each says what it does", () => {
  const tools = builtInTools();
  expect(() => toolRegistry(tools)).not.toThrow();
  for (const tool of tools) {
    expect(tool.description.length).toBeGreaterThan(40);
    expect(tool.inputSchema).toMatchObject({ type: "object", additionalProperties: false });
  }
});

test("of the built-in tools only those that run programs, or write to one, are not repeated after a crash", () => {
  const notRepeated = builtInTools().filter(({ onUnknownOutcome }) => onUnknownOutcome !== "rerun");
  expect(notRepeated.map(({ name, onUnknownOutcome }) => [name, onUnknownOutcome])).toEqual([
    ["run_command", "report"],
    ["start_process", "report"],
    ["send_input", "report"],
  ]);
});
