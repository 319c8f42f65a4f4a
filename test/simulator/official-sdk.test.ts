/** The official client against the simulator, over a real socket. */
import Anthropic from "@anthropic-ai/sdk";
import { afterEach, describe, expect, test } from "vitest";
import type { Mind } from "../../src/simulator/mind.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { type Simulator, type SimulatorOptions, startSimulator } from "../../src/simulator/simulator.ts";

const MODEL = "claude-sonnet-5";
let simulator: Simulator | undefined;

async function client(mind: Mind, options: Partial<SimulatorOptions> = {}): Promise<Anthropic> {
  simulator = await startSimulator({ mind, ...options });
  return new Anthropic({ baseURL: simulator.url, apiKey: "sk-test", maxRetries: 0 });
}

afterEach(async () => {
  await simulator?.stop();
  await simulator?.stop();
});

const weather = { name: "weather", description: "Tells it.", input_schema: { type: "object" as const } };
const call = {
  content: [
    { type: "thinking" as const, thinking: "Berlin, then." },
    { type: "text" as const, text: "Let me look. 🌦️" },
    { type: "tool_use" as const, name: "weather", input: { city: "Berlin", days: [1, 2], note: "ü" } },
    { type: "tool_use" as const, id: "toolu_b", name: "weather", input: {} },
  ],
};
const hello = { model: MODEL, max_tokens: 1_000, messages: [{ role: "user" as const, content: "Hello" }] };

describe("messages", () => {
  test("an answer that is not streamed", async () => {
    const anthropic = await client(scriptedMind(["Hello, world."]));
    const message = await anthropic.messages.create(hello);
    expect(message).toMatchObject({
      type: "message",
      role: "assistant",
      model: MODEL,
      content: [{ type: "text", text: "Hello, world." }],
      stop_reason: "end_turn",
      stop_sequence: null,
      usage: { input_tokens: 2, output_tokens: 4, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
    });
    expect(message.id).toMatch(/^msg_[0-9a-f]{24}$/);
  });

  test("a streamed answer is the same message, byte for byte", async () => {
    const anthropic = await client(scriptedMind([call, call]));
    const whole = await anthropic.messages.create({ ...hello, tools: [weather] });
    const stream = anthropic.messages.stream({ ...hello, tools: [weather] });
    const types: string[] = [];
    stream.on("streamEvent", (event) => types.push(event.type));
    const final = await stream.finalMessage();
    expect(final.content).toEqual(whole.content);
    expect(final.usage).toMatchObject({
      input_tokens: whole.usage.input_tokens,
      output_tokens: whole.usage.output_tokens,
    });
    expect(final).toMatchObject({ id: whole.id, stop_reason: "tool_use" });
    expect(whole.content.map((block) => block.type)).toEqual(["thinking", "text", "tool_use", "tool_use"]);
    expect(whole.content[2]).toMatchObject({
      id: expect.stringMatching(/^toolu_/),
      input: { city: "Berlin", days: [1, 2], note: "ü" },
    });
    expect(types[0]).toBe("message_start");
    expect(types.filter((type) => type === "content_block_start")).toHaveLength(4);
    expect(types.slice(-2)).toEqual(["message_delta", "message_stop"]);
  });

  test("a whole turn with tools", async () => {
    const anthropic = await client(
      scriptedMind((request) =>
        request.messages.length === 1 ? call : `It was: ${JSON.stringify(request.messages[2])}`,
      ),
    );
    const first = await anthropic.messages.create({ ...hello, tools: [weather] });
    const calls = first.content.filter((block) => block.type === "tool_use");
    const results = calls.map(({ id }, at) => ({
      type: "tool_result" as const,
      tool_use_id: id,
      content: `${at} degrees`,
    }));
    const second = await anthropic.messages.create({
      ...hello,
      tools: [weather],
      messages: [...hello.messages, { role: "assistant", content: first.content }, { role: "user", content: results }],
    });
    expect(second.content[0]).toMatchObject({ text: expect.stringContaining("1 degrees") });
  });

  test("max_tokens cuts the answer, streamed or not", async () => {
    const anthropic = await client(scriptedMind(["0123456789abcdef", "0123456789abcdef", call]));
    const cut = { ...hello, max_tokens: 2 };
    const whole = await anthropic.messages.create(cut);
    expect(whole).toMatchObject({
      content: [{ text: "01234567" }],
      stop_reason: "max_tokens",
      usage: { output_tokens: 2 },
    });
    expect((await anthropic.messages.stream(cut).finalMessage()).content).toEqual(whole.content);
    const cutCall = await anthropic.messages.create({ ...hello, max_tokens: 12, tools: [weather] });
    expect(cutCall).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 12 } });
    expect(cutCall.content).toHaveLength(3);
    expect(cutCall.content[2]).toMatchObject({ type: "tool_use", input: {} });
  });

  test("P1: the same request gets the same ids, another one does not", async () => {
    const anthropic = await client(scriptedMind(() => call));
    const ask = (content: string) => anthropic.messages.create({ ...hello, messages: [{ role: "user", content }] });
    const [one, same, other] = [await ask("a"), await ask("a"), await ask("b")];
    expect(same).toEqual(one);
    expect(other?.id).not.toBe(one?.id);
  });
});

describe("the rest of the API", () => {
  test("count_tokens counts what messages bill", async () => {
    const anthropic = await client(scriptedMind(["ok"]));
    const prompt = { ...hello, system: "Be short.", tools: [weather] };
    const { max_tokens: _, ...counted } = prompt;
    const { input_tokens } = await anthropic.messages.countTokens(counted);
    const message = await anthropic.messages.create(prompt);
    expect(input_tokens).toBeGreaterThan(10);
    expect(message.usage.input_tokens).toBe(input_tokens);
  });

  test("models are listed and looked up", async () => {
    const anthropic = await client(scriptedMind([]));
    const ids: string[] = [];
    for await (const model of anthropic.models.list()) ids.push(model.id);
    expect(ids).toContain(MODEL);
    expect(await anthropic.models.retrieve(MODEL)).toMatchObject({ id: MODEL, type: "model" });
    await expect(anthropic.models.retrieve("nope")).rejects.toMatchObject({ status: 404, type: "not_found_error" });
  });

  test("errors have the API's form", async () => {
    const anthropic = await client(scriptedMind(["unused"]));
    await expect(anthropic.messages.create({ ...hello, messages: [] })).rejects.toMatchObject({
      status: 400,
      requestID: expect.stringMatching(/^req_/),
      error: { type: "error", error: { type: "invalid_request_error" }, request_id: expect.stringMatching(/^req_/) },
    });
    expect(simulator?.requests).toMatchObject({ calls: 1, answered: 0, refused: { 400: 1 }, concurrent: 0 });
  });

  test("a configured key is demanded, as x-api-key or as a bearer token", async () => {
    const anthropic = await client(scriptedMind(["in", "in"]), { apiKey: "sk-test" });
    await anthropic.messages.create(hello);
    const bearer = new Anthropic({ baseURL: anthropic.baseURL, apiKey: null, authToken: "sk-test", maxRetries: 0 });
    await bearer.messages.create(hello);
    const wrong = new Anthropic({ baseURL: anthropic.baseURL, apiKey: "sk-other", maxRetries: 0 });
    await expect(wrong.messages.create(hello)).rejects.toMatchObject({ status: 401, type: "authentication_error" });
  });

  test("a mind that throws is a 500 that says so", async () => {
    const anthropic = await client(scriptedMind([]));
    await expect(anthropic.messages.create(hello)).rejects.toMatchObject({
      status: 500,
      message: expect.stringContaining("the script has only 0 replies"),
    });
  });

  test("it listens on loopback only", async () => {
    await expect(startSimulator({ mind: scriptedMind([]), host: "0.0.0.0" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });

  test("a body that is too large or no JSON is refused", async () => {
    const anthropic = await client(scriptedMind([]));
    const post = (body: string) =>
      fetch(`${anthropic.baseURL}/v1/messages`, {
        method: "POST",
        headers: { "x-api-key": "k", "anthropic-version": "2023-06-01", "content-type": "application/json" },
        body,
      });
    expect((await post("{")).status).toBe(400);
    expect((await post("x".repeat(33 * 1024 * 1024))).status).toBe(413);
  });
});
