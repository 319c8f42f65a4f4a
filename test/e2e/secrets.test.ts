/**
 * What must stay secret, against a whole `banyan up` with a provider that gives away the key it was called with: everything is asked for, and
 * refused in every way; then each answer, each stream of the process and each file of the data is searched.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OPERATIONS } from "../../src/server/contract/operations.ts";

const BANYAN = fileURLToPath(new URL("../../bin/banyan.js", import.meta.url));
/** No form of a key that is known: only the variables' names tell what they are. */
const [PROVIDER_KEY, BUCKET_KEY] = ["orchid-lantern-pebble-quartz", "harbor-willow-cobalt-meadow"];

const folder = mkdtempSync(join(tmpdir(), "banyan-secrets-"));
const data = join(folder, "data");
let provider: Server;
let child: ChildProcess;
const streams = { out: "", err: "" };
let up: { url: string; token: string; link: string | null };

/** Answers with the key: a person's first word is refused with it, and everything else is said to the agent as a text. */
function giveAway(key: string, body: string): { status: number; text: string } {
  if (body.includes("be refused")) {
    return {
      status: 400,
      text: JSON.stringify({ type: "error", error: { type: "invalid_request_error", message: `bad key ${key}` } }),
    };
  }
  const events: [string, object][] = [
    [
      "message_start",
      {
        message: {
          id: "m1",
          type: "message",
          role: "assistant",
          model: "any",
          content: [],
          stop_reason: null,
          usage: { input_tokens: 9, output_tokens: 1 },
        },
      },
    ],
    ["content_block_start", { index: 0, content_block: { type: "text", text: "" } }],
    ["content_block_delta", { index: 0, delta: { type: "text_delta", text: `the key is ${key}` } }],
    ["content_block_stop", { index: 0 }],
    ["message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 9 } }],
    ["message_stop", {}],
  ];
  return {
    status: 200,
    text: events.map(([type, more]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`).join(""),
  };
}

beforeAll(async () => {
  provider = createServer(async (request, response) => {
    const body = (await Array.fromAsync(request)).join("");
    const { status, text } = giveAway(String(request.headers["x-api-key"]), body);
    response.writeHead(status, { "content-type": status === 200 ? "text/event-stream" : "application/json" }).end(text);
  });
  await once(provider.listen(0, "127.0.0.1"), "listening");
  const environment = {
    ...process.env,
    ANTHROPIC_API_KEY: PROVIDER_KEY,
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`,
    AWS_SECRET_ACCESS_KEY: BUCKET_KEY,
  };
  child = spawn(process.execPath, [BANYAN, "up", "--data", data, "--port", "0", "--json"], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr?.on("data", (chunk) => {
    streams.err += chunk;
  });
  child.stdout?.on("data", (chunk) => {
    streams.out += chunk;
  });
  const [line] = await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), "line");
  up = JSON.parse(line);
});
afterAll(() => {
  child.kill("SIGKILL");
  provider.close();
  rmSync(folder, { recursive: true, force: true });
});

test("no key and no token is in an answer, in what the process prints, or in a file of the data", async () => {
  const answers: string[] = [];
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${up.url}${path}`, init);
    const text = await answer.text();
    answers.push(`${JSON.stringify([...answer.headers])} ${text}`);
    return { status: answer.status, text };
  };
  const post = (name: string, input: object, token = up.token) =>
    ask(`/v1/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(input),
    });
  for (const task of ["say it", "be refused", `keep ${PROVIDER_KEY} and ${BUCKET_KEY}`]) {
    const begun = await post("spawn", { task, dir: folder });
    expect([begun.status, begun.text]).toEqual([200, expect.stringContaining("coordinator")]);
    const { agent } = JSON.parse(begun.text);
    // Until it has ended.
    await post("logs", { agent });
    await ask(`/v1/events?agent=${agent}&from=0`, { headers: { authorization: `Bearer ${up.token}` } });
  }
  // An address is written down by everybody whom it passes: a token in one opens nothing.
  for (const path of ["/v1/events", "/v1/fleet", "/metrics"])
    expect((await ask(`${path}?token=${up.token}&access_token=${up.token}`)).status).toBe(401);
  // What logs a browser in is in the answer that hands it over, and nowhere else.
  const login = await fetch(`${up.url}/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: up.url },
    body: JSON.stringify({ secret: up.token }),
  });
  const [, cookie = ""] = /=([^;]+)/.exec(login.headers.get("set-cookie") ?? "") ?? [];
  expect([login.status, cookie.length > 30]).toEqual([200, true]);
  const inputs = [
    {},
    { agent: PROVIDER_KEY },
    { [PROVIDER_KEY]: BUCKET_KEY },
    { agent: "coordinator", name: BUCKET_KEY, text: PROVIDER_KEY },
  ];
  for (const name of Object.keys(OPERATIONS).filter((each) => each !== "shutdown")) {
    for (const input of inputs) for (const token of [up.token, PROVIDER_KEY]) await post(name, input, token);
  }
  for (const path of [
    "/",
    "/metrics",
    "/health",
    "/ready",
    "/v1/openapi.json",
    "/nothing",
    `/v1/${PROVIDER_KEY}`,
    `/v1/events?token=${PROVIDER_KEY}`,
  ]) {
    await ask(path);
    await ask(path, { headers: { authorization: `Bearer ${up.token}` } });
  }
  const secrets = [PROVIDER_KEY, BUCKET_KEY, up.token, cookie];
  const ended = once(child, "close");
  await post("shutdown", {});
  await ended;

  // The provider did give it away.
  expect(answers.filter((answer) => answer.includes("the key is [redacted:value]")).length).toBeGreaterThan(0);
  expect(answers.filter((answer) => answer.includes("bad key [redacted:value]")).length).toBeGreaterThan(0);
  for (const secret of secrets) expect(answers.filter((answer) => answer.includes(secret))).toEqual([]);
  expect(streams.out.split(up.token)).toHaveLength(2);
  for (const secret of secrets) expect(streams.err).not.toContain(secret);
  for (const key of [PROVIDER_KEY, BUCKET_KEY]) expect(streams.out).not.toContain(key);
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(5);
  for (const { parentPath, name } of files) {
    const bytes = readFileSync(join(parentPath, name));
    for (const secret of secrets) expect([name, bytes.includes(secret)]).toEqual([name, false]);
  }
});
