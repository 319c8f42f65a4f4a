/** Every fault, as the official client sees it; the rules that call for them; and how an answer is paced. */
import Anthropic from "@anthropic-ai/sdk";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { ManualClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { ConnectionCut } from "../../src/simulator/api-error.ts";
import type { Fault, FaultCondition } from "../../src/simulator/faults.ts";
import { createProvider, type Provider } from "../../src/simulator/provider.ts";
import { scriptedMind } from "../../src/simulator/scripted.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { JumpingClock, WatchedClock } from "./clocks.ts";
import { ask, send } from "./in-process.ts";

const hello = { model: "claude-sonnet-5", max_tokens: 100, messages: [{ role: "user" as const, content: "Hello" }] };
const answer = "one two three four five six seven eight";
const mind = scriptedMind(() => answer);

let simulator: Simulator | undefined;
/** Resolves when a request is about to meet its fault. */
let arrived: Promise<void>;
afterEach(() => simulator?.stop());

async function client(fault: Fault): Promise<Anthropic> {
  const { promise, resolve } = Promise.withResolvers<void>();
  arrived = promise;
  const faults = () => {
    resolve();
    return fault;
  };
  simulator = await startSimulator({ mind, faults, pace: { tokensPerDelta: 2 } });
  return new Anthropic({ baseURL: simulator.url, apiKey: "k", maxRetries: 0, logLevel: "off" });
}

async function streamed(anthropic: Anthropic): Promise<{ events: string[]; text: string; error: unknown }> {
  const seen = { events: [] as string[], text: "", error: undefined as unknown };
  try {
    for await (const event of await anthropic.messages.create({ ...hello, stream: true })) {
      seen.events.push(event.type);
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") seen.text += event.delta.text;
    }
  } catch (error) {
    seen.error = error;
  }
  return seen;
}

describe("a fault over the socket", () => {
  test.each([
    [{ kind: "rateLimit", retryAfterMs: 2_500 }, 429, "rate_limit_error"],
    [{ kind: "overloaded" }, 529, "overloaded_error"],
    [{ kind: "serverError" }, 500, "api_error"],
    [{ kind: "errorEvent" }, 529, "overloaded_error"],
  ] as const)("%o refuses", async (fault, status, type) => {
    const anthropic = await client(fault);
    const error = await anthropic.messages.create(hello).catch((error) => error);
    expect(error).toMatchObject({ status, type });
    if (status === 429) expect(error.headers.get("retry-after")).toBe("3");
    expect(simulator?.requests).toMatchObject({ answered: 0, refused: { [status]: 1 }, faults: { [fault.kind]: 1 } });
  });

  test("the official client retries by itself and gets through", async () => {
    simulator = await startSimulator({ mind, faults: [{ when: { nth: 1 }, kind: "rateLimit", retryAfterMs: 1 }] });
    const anthropic = new Anthropic({ baseURL: simulator.url, apiKey: "k", maxRetries: 1 });
    expect((await anthropic.messages.create(hello)).content).toEqual([{ type: "text", text: answer }]);
    expect(simulator.requests).toMatchObject({ calls: 2, answered: 1 });
  });

  test("cut: what was sent before arrives, then the stream breaks", async () => {
    const { events, text, error } = await streamed(await client({ kind: "cut", afterEvents: 5 }));
    expect(events).toEqual(["message_start", "content_block_start", "content_block_delta", "content_block_delta"]);
    expect(answer.startsWith(text) && text.length > 0).toBe(true);
    expect(error).toBeInstanceOf(Error);
    expect(simulator?.requests.concurrent).toBe(0);
  });

  test.each([0, 1, 200])("cut after %i bytes", async (afterBytes) => {
    const { events, error } = await streamed(await client({ kind: "cut", afterBytes }));
    expect(error).toBeInstanceOf(Error);
    expect(events).toEqual([]);
  });

  test.each([{ afterEvents: 0 }, { afterBytes: 0 }])("cut before the response: %o", async (after) => {
    const provider = createProvider({ mind, faults: () => ({ kind: "cut", ...after }) });
    await expect(send(provider, hello)).rejects.toBeInstanceOf(ConnectionCut);
    expect(provider.requests).toMatchObject({ answered: 0, concurrent: 0 });
  });

  test("cut: an answer that is not streamed ends too soon", async () => {
    const anthropic = await client({ kind: "cut", afterBytes: 50 });
    await expect(anthropic.messages.create(hello)).rejects.toThrow();
  });

  test.each(["json", "html"] as const)("garbage as %s", async (form) => {
    const anthropic = await client({ kind: "garbage", form });
    const { text, error } = await streamed(anthropic);
    expect(text).not.toBe(answer);
    if (form === "json") expect(error).toBeInstanceOf(Error);
    const whole = await fetch(`${anthropic.baseURL}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": "k", "anthropic-version": "2023-06-01", "content-type": "application/json" },
      body: JSON.stringify(hello),
    });
    await expect(whole.json()).rejects.toThrow(SyntaxError);
  });

  test("errorEvent: the stream says why it ends", async () => {
    const { text, error } = await streamed(await client({ kind: "errorEvent", afterEvents: 4 }));
    expect(answer.startsWith(text) && text.length > 0).toBe(true);
    expect(error).toMatchObject({ type: "overloaded_error" });
  });

  test("silence: nothing comes until the client gives up", async () => {
    const anthropic = await client({ kind: "silence" });
    const abort = new AbortController();
    const call = anthropic.messages.create(hello, { signal: abort.signal });
    await arrived;
    expect(simulator?.requests.concurrent).toBe(1);
    abort.abort();
    await expect(call).rejects.toThrow(/abort/i);
    await vi.waitFor(() => expect(simulator?.requests.concurrent).toBe(0));
  });

  test("stop ends what hangs", async () => {
    const anthropic = await client({ kind: "silence" });
    const call = anthropic.messages.create(hello).catch((error) => error);
    await arrived;
    await simulator?.stop();
    expect(await call).toBeInstanceOf(Error);
  });
});

describe("rules", () => {
  const hits = async (when: FaultCondition, random = seededRandom(1)) => {
    const provider = createProvider({ mind, faults: [{ when, kind: "serverError" }], random });
    const out: number[] = [];
    for (let nth = 1; nth <= 12; nth++) {
      if ((await ask(provider, [{ role: "user", content: `number ${nth}` }])).status === 500) out.push(nth);
    }
    return out;
  };
  test.each<[string, FaultCondition, number[]]>([
    ["nth", { nth: 3 }, [3]],
    ["every", { every: 5 }, [5, 10]],
    ["matches a pattern", { matches: /number 1\d/ }, [10, 11, 12]],
    ["matches a test", { matches: ({ messages }) => messages[0]?.content === "number 7" }, [7]],
    ["all conditions together", { every: 2, matches: /number 1\d/ }, [10, 12]],
    ["never", { probability: 0 }, []],
    ["always", {}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
  ])("%s", async (_name, when, expected) => {
    expect(await hits(when)).toEqual(expected);
  });

  test("a probability repeats with its seed", async () => {
    const [one, same, other] = [
      await hits({ probability: 0.5 }),
      await hits({ probability: 0.5 }),
      await hits({ probability: 0.5 }, seededRandom(2)),
    ];
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
    expect(one?.length).toBeGreaterThan(2);
  });

  test("a request that is refused as invalid does not use up a fault", async () => {
    const provider = createProvider({ mind, faults: [{ when: { nth: 1 }, kind: "serverError" }] });
    expect((await ask(provider, [])).status).toBe(400);
    expect((await ask(provider, hello)).status).toBe(500);
  });
});

describe("pace", () => {
  /** Plays a streamed answer and returns when each text came, in ms. */
  async function times(provider: Provider, clock: ManualClock): Promise<number[]> {
    const out: number[] = [];
    const { body } = await send(provider, { ...hello, stream: true });
    for await (const _ of body) out.push(clock.monotonic());
    return out;
  }

  test("first token and tokens per second", async () => {
    const clock = new JumpingClock();
    const provider = createProvider({ mind, clock, pace: { firstTokenMs: 500, tokensPerSecond: 50 } });
    const played = await times(provider, clock);
    expect(played[0]).toBe(500);
    expect(played.at(-1)).toBe(500 + 10 * 20);
    expect(played.length).toBeGreaterThan(9);
  });

  test("slow: the answer drips, whatever the pace", async () => {
    const clock = new JumpingClock();
    const faults = [{ when: {}, kind: "slow", firstTokenMs: 1_000, tokenMs: 100 }] as const;
    expect((await times(createProvider({ mind, clock, faults }), clock)).at(-1)).toBe(2_000);
  });

  test("an answer that is not streamed takes as long", async () => {
    const clock = new WatchedClock();
    const provider = createProvider({ mind, clock, pace: { firstTokenMs: 500, tokensPerSecond: 50 } });
    const asked = ask(provider, hello);
    await clock.pendingAtLeast(1);
    clock.advance(500);
    await clock.pendingAtLeast(1);
    expect(clock.untilNext()).toBe(200);
    clock.advance(200);
    expect((await asked).status).toBe(200);
  });

  test("a client that leaves stops the clock's timers", async () => {
    const clock = new WatchedClock();
    const provider = createProvider({ mind, clock, pace: { firstTokenMs: 500 } });
    const abort = new AbortController();
    const asked = ask(provider, hello, { signal: abort.signal });
    await clock.pendingAtLeast(1);
    abort.abort(new ConnectionCut());
    await expect(asked).rejects.toBeInstanceOf(ConnectionCut);
    expect([clock.pending, provider.requests.concurrent]).toEqual([0, 0]);
  });
});
