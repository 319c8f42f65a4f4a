/** The control socket against peers that are slow, rude, half gone or many. */
import { execFile } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { type ControlOptions, startControl } from "../../src/server/control-socket.ts";
import { openFleet } from "../support/fleet.ts";
import { openWire } from "../support/wire.ts";

async function openSocket(options: ControlOptions = {}) {
  const fleet = await openFleet();
  const lead = await fleet.lead();
  const control = await startControl(fleet.banyan.runtime, options);
  return {
    fleet,
    lead,
    control,
    async [Symbol.asyncDispose]() {
      await control.stop();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

const isAnswer = (id: unknown) => (message: Record<string, unknown>) => message.id === id && !("items" in message);

describe("the socket", () => {
  test("is for this user alone, in a folder for this user alone", async () => {
    await using open = await openSocket();
    expect(statSync(open.control.path).mode & 0o777).toBe(0o600);
    expect(statSync(open.fleet.folder).mode & 0o777).toBe(0o700);
  });

  test("A3: is gone after stop, which may be asked for twice", async () => {
    await using open = await openSocket();
    await Promise.all([open.control.stop(), open.control.stop()]);
    expect(existsSync(open.control.path)).toBe(false);
  });

  test("A2: replaces what a dead process left", async () => {
    await using fleet = await openFleet();
    const path = join(fleet.folder, "control.sock");
    const dying = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    await new Promise((resolve) => execFile(process.execPath, ["-e", dying], resolve));
    expect(existsSync(path)).toBe(true);
    await using control = await startControl(fleet.banyan.runtime);
    using wire = await openWire(control.path);
    wire.send({ id: 1, op: "stats" });
    expect(await wire.next()).toMatchObject({ id: 1, ok: { agents: 0 } });
  });

  test("A2: never replaces that of a living process", async () => {
    await using open = await openSocket();
    await expect(startControl(open.fleet.banyan.runtime)).rejects.toMatchObject({ code: "DATA_IN_USE" });
    using wire = await openWire(open.control.path);
    wire.send({ id: 1, op: "stats" });
    expect(await wire.next()).toHaveProperty("ok");
  });

  test("a file that stands in its place is left alone, and told of", async () => {
    await using fleet = await openFleet();
    writeFileSync(join(fleet.folder, "control.sock"), "precious");
    await expect(startControl(fleet.banyan.runtime)).rejects.toMatchObject({ code: "DISK_FAILED" });
    expect(statSync(join(fleet.folder, "control.sock")).size).toBe(8);
  });
});

describe("requests", () => {
  test("are answered as they are done, each under its id", async () => {
    await using open = await openSocket();
    using wire = await openWire(open.control.path);
    wire.send(
      { id: 1, op: "tree" },
      { id: "two", op: "agent", input: { agent: "lead" } },
      { id: 3, op: "agent", input: { agent: "nobody" } },
    );
    const all: Record<string, unknown>[] = [];
    while (all.length < 4) all.push((await wire.next()) ?? {});
    expect(all.filter(({ id }) => id === 1)).toMatchObject([{ items: [{ name: "lead" }] }, { end: true }]);
    expect(all.find(({ id }) => id === "two")).toMatchObject({ ok: { path: "/lead" } });
    expect(all.find(({ id }) => id === 3)).toMatchObject({
      error: { code: "AGENT_NOT_FOUND", remedy: expect.any(String) },
    });
  });

  test("of two peers at once do not touch each other", async () => {
    await using open = await openSocket();
    using one = await openWire(open.control.path);
    using two = await openWire(open.control.path);
    one.send({ id: 1, op: "logs", input: { follow: true } });
    two.send({ id: 1, op: "pause", input: { agent: "lead" } });
    expect(await two.next()).toMatchObject({ id: 1, ok: { status: "held" } });
    const seen = await one.until(({ items }) => JSON.stringify(items).includes("hold.set"));
    expect(seen.every(({ id }) => id === 1)).toBe(true);
  });

  test("that nobody waits for are ended", async () => {
    await using open = await openSocket();
    using wire = await openWire(open.control.path);
    wire.send({ id: 1, op: "logs", input: { follow: true } });
    await wire.next();
    wire.send({ cancel: 1 }, { cancel: "unknown" });
    expect(await wire.until(isAnswer(1))).toContainEqual({ id: 1, end: true });
  });

  test("more than may be under way wait, and are all answered", async () => {
    await using open = await openSocket();
    using wire = await openWire(open.control.path);
    const count = LIMITS.controlRequestsMax * 3;
    wire.send(Array.from({ length: count }, (_, id) => `${JSON.stringify({ id, op: "stats" })}\n`).join(""));
    const answered = new Set<unknown>();
    await wire.until(({ id }) => answered.add(id).size === count);
    expect(answered.size).toBe(count);
  });

  test("R3: a second one under an id that is taken ends the connection", async () => {
    await using open = await openSocket();
    using wire = await openWire(open.control.path);
    wire.send({ id: 1, op: "logs", input: { follow: true } }, { id: 1, op: "stats" });
    expect(await wire.until(isAnswer(null))).toContainEqual({
      id: null,
      error: expect.objectContaining({ code: "INPUT_INVALID" }),
    });
  });
});

describe("R3: a rude peer is told why, and cut off; others go on", () => {
  test.each([
    ["garbage", "\u0000\u0001\u0002 nonsense\n", "INPUT_INVALID"],
    ["JSON that is no request", '{"hello":"world"}\n', "INPUT_INVALID"],
    ["a web page's request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "INPUT_INVALID"],
    ["bytes that are no text", Buffer.from([0xff, 0xfe, 0x0a]), "INPUT_INVALID"],
    ["a line without an end", Buffer.alloc(LIMITS.controlBytesMax + 1, "x"), "CONTENT_TOO_LARGE"],
  ])("%s", async (_, said, code) => {
    await using open = await openSocket();
    using wire = await openWire(open.control.path);
    using other = await openWire(open.control.path);
    wire.send(said);
    expect(await wire.next()).toMatchObject({ id: null, error: { code } });
    expect(await wire.next()).toBeUndefined();
    other.send({ id: 1, op: "stats" });
    expect(await other.next()).toHaveProperty("ok");
  });

  test("what is asked for in a hostile way is refused, and the connection lives", async () => {
    await using open = await openSocket();
    using wire = await openWire(open.control.path);
    const hostile: object[] = [
      { op: "__proto__" },
      { op: "toString" },
      { op: "agent", input: { agent: "../../etc/passwd" } },
      { op: "agent", input: { agent: "\u001b]0;owned\u0007" } },
      { op: "artifact", input: { digest: `sha256:${"../".repeat(21)}x` } },
      { op: "fork", input: { agent: "lead", name: "../../x" } },
      { op: "send", input: { agent: "lead", text: "" } },
      { op: "rewind", input: { agent: "lead", to: -1 } },
      { op: "tree", input: { __proto__: { agent: "x" }, constructor: 1 } },
      { op: "agent", input: { agent: "x".repeat(100_000) } },
    ];
    for (const [id, request] of hostile.entries()) {
      wire.send({ id, ...request });
      expect(await wire.next()).toMatchObject({ id, error: { code: expect.stringMatching(/INVALID|NOT_FOUND/) } });
    }
  });

  test("one that goes in the middle of a stream leaves nothing behind", async () => {
    await using open = await openSocket();
    const wire = await openWire(open.control.path);
    wire.send({ id: 1, op: "logs", input: { follow: true } });
    await wire.next();
    wire.socket.destroy();
    using other = await openWire(open.control.path);
    other.send({ id: 1, op: "stats" });
    expect(await other.next()).toHaveProperty("ok");
  });
});

describe("a half-closed peer", () => {
  test("gets its answers, also to a last line without an end", async () => {
    await using open = await openSocket();
    using wire = await openWire(open.control.path);
    wire.send({ id: 1, op: "stats" }, '{"id":2,"op":"stats"}');
    wire.socket.end();
    const got = await wire.until(() => false);
    expect(got.map(({ id }) => id).sort()).toEqual([1, 2]);
  });

  test("follows no more: it could not say when to stop", async () => {
    await using open = await openSocket();
    using wire = await openWire(open.control.path);
    wire.send({ id: 1, op: "logs", input: { follow: true } });
    wire.socket.end();
    const got = await wire.until(() => false);
    expect(got.at(-1)).toEqual({ id: 1, end: true });
  });
});

describe("a slow peer", () => {
  /** Fills what the system keeps for a peer that does not read. */
  const flood = (open: Awaited<ReturnType<typeof openSocket>>, messages: number) =>
    Promise.all(Array.from({ length: messages }, () => open.lead.send("x".repeat(8_000))));

  test("R2: that follows live is told, with the position to read on from", async () => {
    await using open = await openSocket({ followEventsMax: 50 });
    await open.lead.pause();
    using wire = await openWire(open.control.path);
    wire.socket.pause();
    wire.send({ id: 1, op: "logs", input: { follow: true } });
    await flood(open, 200);
    wire.socket.resume();
    const got = await wire.until(isAnswer(1));
    const last = got.at(-1) as { error: { code: string; message: string } };
    expect(last.error).toMatchObject({ code: "READER_BEHIND" });
    const events = got.flatMap(({ items }) => (items ?? []) as { position: number }[]);
    expect(last.error.message).toContain(`position ${events.at(-1)?.position}`);

    const from = events.at(-1)?.position ?? 0;
    wire.send({ id: 2, op: "logs", input: { from } });
    const rest = (await wire.until(isAnswer(2))).flatMap(({ items }) => (items ?? []) as { position: number }[]);
    expect(rest[0]?.position).toBe(from + 1);
  });

  test("R1: that reads what is there is waited for, and gets all of it", async () => {
    await using open = await openSocket({ followEventsMax: 50 });
    await open.lead.pause();
    await flood(open, 200);
    using wire = await openWire(open.control.path);
    wire.socket.pause();
    wire.send({ id: 1, op: "logs" });
    await flood(open, 60);
    wire.socket.resume();
    const got = await wire.until(isAnswer(1));
    expect(got.at(-1)).toEqual({ id: 1, end: true });
    const events = got.flatMap(({ items }) => (items ?? []) as { position: number }[]);
    expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
  });
});

describe("stopping", () => {
  test("A3: ends streams with a word, and refuses nothing silently", async () => {
    await using open = await openSocket();
    using wire = await openWire(open.control.path);
    wire.send({ id: 1, op: "logs", input: { follow: true } });
    await wire.next();
    await open.control.stop();
    expect(await wire.until(isAnswer(1))).toContainEqual({
      id: 1,
      error: expect.objectContaining({ code: "SHUTTING_DOWN" }),
    });
    expect(await wire.next()).toBeUndefined();
  });

  test("does not wait for a peer that does not read", async () => {
    await using open = await openSocket();
    await open.lead.pause();
    await Promise.all(Array.from({ length: 200 }, () => open.lead.send("x".repeat(8_000))));
    using wire = await openWire(open.control.path);
    wire.socket.pause();
    wire.send({ id: 1, op: "logs" });
    await open.control.stop();
  });

  test("shutdown asks this process to stop, once it is answered", async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    await using open = await openSocket({ shutDown: resolve });
    using wire = await openWire(open.control.path);
    wire.send({ id: 1, op: "shutdown" });
    expect(await wire.next()).toEqual({ id: 1, ok: { pid: process.pid } });
    await asked;
  });
});
