/** What the API refuses: a table of requests and the words it refuses them with. */
import { describe, expect, test } from "vitest";
import { createProvider } from "../../src/simulator/provider.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { ask, MODEL, type TestMessage } from "./in-process.ts";

const provider = createProvider({ mind: scriptedMind(() => "fine") });
const user = (...content: object[]): TestMessage => ({ role: "user", content });
const assistant = (...content: object[]): TestMessage => ({ role: "assistant", content });
const text = (words: string) => ({ type: "text", text: words });
const call = (id: string) => ({ type: "tool_use", id, name: "look", input: {} });
const result = (id: string, content: unknown = "seen") => ({ type: "tool_result", tool_use_id: id, content });

const refused: [string, object, string | RegExp][] = [
  ["no model", { model: undefined, messages: [user(text("a"))] }, "model: Field required"],
  ["no max_tokens", { max_tokens: undefined, messages: [user(text("a"))] }, "max_tokens: Field required"],
  ["max_tokens 0", { max_tokens: 0, messages: [user(text("a"))] }, /^max_tokens: /],
  ["no messages", {}, "messages: Field required"],
  [
    "a wrong field deep inside",
    { messages: [user(text("a"), { type: "text" })] },
    "messages.0.content.1.text: Field required",
  ],
  ["an unknown block", { messages: [user({ type: "song" })] }, /^messages\.0\.content\.0/],
  ["an unknown role", { messages: [{ role: "robot", content: "a" }] }, /^messages\.0\.role/],
  ["C1: the assistant first", { messages: [assistant(text("a"))] }, /first message must use the "user" role/],
  ["C1: an empty message", { messages: [user(), user(text("a"))] }, /^messages\.0: all messages must have non-empty/],
  ["C1: an empty text", { messages: [user(text(""))] }, /text content blocks must be non-empty/],
  ["C1: a blank text", { messages: [user(text("\n\n"))] }, /must contain non-whitespace text/],
  [
    "C2: no result",
    { messages: [user(text("a")), assistant(call("x")), user(text("b"))] },
    /^messages\.1: `tool_use` ids were found without .*: x\./,
  ],
  ["C2: no next message", { messages: [user(text("a")), assistant(call("x"))] }, /^messages\.1: `tool_use` ids/],
  [
    "C2: one of two results",
    { messages: [user(text("a")), assistant(call("x"), call("y")), user(result("x"))] },
    /after: y\./,
  ],
  [
    "C2: text before the result",
    { messages: [user(text("a")), assistant(call("x")), user(text("b"), result("x"))] },
    /^messages\.1: `tool_use` ids/,
  ],
  ["C3: a result of nothing", { messages: [user(result("x"))] }, /^messages\.0\.content\.0: unexpected `tool_use_id`/],
  [
    "C3: a result that is late",
    { messages: [user(text("a")), assistant(call("x")), user(result("x")), assistant(text("b")), user(result("x"))] },
    /^messages\.4\.content\.0: unexpected/,
  ],
  [
    "C3: a result that comes twice",
    { messages: [user(text("a")), assistant(call("x")), user(result("x"), result("x"))] },
    /must have a single result/,
  ],
  [
    "C4: one id twice",
    { messages: [user(text("a")), assistant(call("x"), call("x")), user(result("x"))] },
    /^messages\.1\.content\.1: `tool_use` ids must be unique/,
  ],
  ["C5: a prefill that ends in space", { messages: [user(text("a")), assistant(text("b "))] }, /trailing whitespace/],
  ["a call by the user", { messages: [user(call("x"))] }, /can only be in `assistant`/],
  ["a result by the assistant", { messages: [user(text("a")), assistant(result("x"))] }, /can only be in `user`/],
  ["tools of one name", { messages: [user(text("a"))], tools: [tool(), tool()] }, /Tool names must be unique/],
  [
    "a tool without a schema",
    { messages: [user(text("a"))], tools: [{ name: "t" }] },
    "tools.0.input_schema: Field required",
  ],
];

const accepted: [string, object][] = [
  ["strings", { messages: [{ role: "user", content: "a" }], system: "s" }],
  ["blocks", { messages: [user(text("a"))], system: [text("s")] }],
  [
    "results in another order, then text",
    { messages: [user(text("a")), assistant(call("x"), call("y")), user(result("y"), result("x"), text("b"))] },
  ],
  [
    "results over two messages",
    { messages: [user(text("a")), assistant(call("x"), call("y")), user(result("x")), user(result("y"))] },
  ],
  [
    "neighbours of one role",
    { messages: [user(text("a")), user(text("b")), assistant(text("c")), assistant(text("d")), user(text("e"))] },
  ],
  ["a prefill", { messages: [user(text("a")), assistant(text("b"))] }],
  ["an empty last assistant message", { messages: [user(text("a")), { role: "assistant", content: "" }] }],
  [
    "an id that is used again in a later turn",
    { messages: [user(text("a")), assistant(call("x")), user(result("x")), assistant(call("x")), user(result("x"))] },
  ],
  [
    "results as blocks, empty or absent",
    {
      messages: [
        user(text("a")),
        assistant(call("x"), call("y"), call("z")),
        user(result("x", [text("r")]), result("y", ""), result("z", undefined)),
      ],
    },
  ],
  [
    "thinking and an image",
    {
      messages: [
        user({ type: "image", source: { type: "base64", data: "AA" } }, text("a")),
        assistant({ type: "thinking", thinking: "t", signature: "s" }, text("b")),
      ],
    },
  ],
  ["a server's tool", { messages: [user(text("a"))], tools: [{ type: "web_search_20250305", name: "web_search" }] }],
  ["fields that nobody knows", { messages: [user(text("a"))], context_management: { edits: [] }, temperature: 0 }],
];

function tool() {
  return { name: "t", input_schema: { type: "object" } };
}

describe("refused with 400", () => {
  test.each(refused)("%s", async (_name, body, message) => {
    const { status, json } = await ask(provider, body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
    if (typeof message === "string") expect(json.error.message).toBe(message);
    else expect(json.error.message).toMatch(message);
  });

  test("a key and a version are demanded, an unknown path is not found", async () => {
    const headers = { "x-api-key": "k", "anthropic-version": "2023-06-01" };
    const post = { method: "POST", path: "/v1/messages", body: "{}" };
    expect((await provider.handle({ ...post, headers: {} })).status).toBe(401);
    expect((await provider.handle({ ...post, headers: { "x-api-key": "k" } })).status).toBe(400);
    expect((await provider.handle({ ...post, path: "/v1/nothing", headers })).status).toBe(404);
    expect((await provider.handle({ ...post, method: "GET", headers })).status).toBe(404);
  });
});

describe("accepted", () => {
  test.each(accepted)("%s", async (_name, body) => {
    expect(await ask(provider, body)).toMatchObject({ status: 200, json: { model: MODEL } });
  });
});
