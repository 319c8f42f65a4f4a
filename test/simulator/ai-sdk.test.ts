/** The AI SDK's provider against the simulator: over a socket, and in-process through `fetch`. */
import { createAnthropic } from "@ai-sdk/anthropic";
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { afterEach, describe, expect, test } from "vitest";
import { providerFetch } from "../../src/simulator/fetch.ts";
import type { Mind } from "../../src/simulator/mind.ts";
import { createProvider } from "../../src/simulator/provider.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";

let simulator: Simulator | undefined;
afterEach(() => simulator?.stop());

const ways = {
  "over a socket": async (mind: Mind) => {
    simulator = await startSimulator({ mind });
    return createAnthropic({ baseURL: `${simulator.url}/v1`, apiKey: "k" })("claude-sonnet-4-5");
  },
  "in-process": async (mind: Mind) => {
    const fetch = providerFetch(createProvider({ mind }));
    return createAnthropic({ baseURL: "http://simulator.invalid/v1", apiKey: "k", fetch })("claude-sonnet-4-5");
  },
};

const options: LanguageModelV4CallOptions = {
  prompt: [
    {
      role: "system",
      content: "s".repeat(5_000),
      providerOptions: { anthropic: { cacheControl: { type: "ephemeral" } } },
    },
    { role: "user", content: [{ type: "text", text: "Hello" }] },
  ],
  tools: [{ type: "function", name: "look", inputSchema: { type: "object", properties: {} } }],
};

async function collect(stream: ReadableStream<LanguageModelV4StreamPart>): Promise<LanguageModelV4StreamPart[]> {
  const parts: LanguageModelV4StreamPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

describe.each(Object.entries(ways))("%s", (_name, open) => {
  test("text, thinking and calls, streamed and not, with cache usage", async () => {
    const reply = {
      content: [
        { type: "thinking" as const, thinking: "hm" },
        { type: "text" as const, text: "One moment." },
        { type: "tool_use" as const, id: "toolu_1", name: "look", input: { path: "." } },
      ],
    };
    const model = await open(scriptedMind([reply, reply, reply]));
    const whole = await model.doGenerate(options);
    expect(whole.content.map((part) => part.type)).toEqual(["reasoning", "text", "tool-call"]);
    expect(whole.content[2]).toMatchObject({ toolCallId: "toolu_1", input: '{"path":"."}' });
    expect(whole.finishReason).toMatchObject({ unified: "tool-calls", raw: "tool_use" });
    const first = await collect((await model.doStream(options)).stream);
    const parts = await collect((await model.doStream(options)).stream);
    expect(parts.find((part) => part.type === "tool-call")).toMatchObject({
      toolCallId: "toolu_1",
      input: '{"path":"."}',
    });
    const usages = [first, parts].map((each) => each.findLast((part) => part.type === "finish")?.usage.inputTokens);
    expect(usages[0]).toMatchObject({ cacheRead: 0, cacheWrite: expect.any(Number) });
    expect(usages[1]).toMatchObject({ cacheRead: usages[0]?.cacheWrite, cacheWrite: 0 });
    expect(usages[0]?.cacheWrite).toBeGreaterThan(1_250);
  });

  test("a pause asks to be called again, and the client may go on from the assistant's words", async () => {
    const model = await open(
      scriptedMind((request) =>
        request.messages.at(-1)?.role === "assistant"
          ? "two"
          : { content: [{ type: "text", text: "one" }], stopReason: "pause_turn" },
      ),
    );
    const first = await model.doGenerate(options);
    expect(first.finishReason.raw).toBe("pause_turn");
    const said = { role: "assistant" as const, content: [{ type: "text" as const, text: "one" }] };
    const second = await model.doGenerate({ ...options, prompt: [...options.prompt, said] });
    expect(second.content).toEqual([{ type: "text", text: "two" }]);
  });

  test("an abort ends the call", async () => {
    const abort = new AbortController();
    const model = await open(
      scriptedMind((_request, { signal }) => {
        abort.abort();
        return new Promise((_resolve, reject) => {
          if (signal.aborted) reject(signal.reason);
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      }),
    );
    await expect(model.doGenerate({ ...options, abortSignal: abort.signal })).rejects.toThrow(/abort/i);
  });
});
