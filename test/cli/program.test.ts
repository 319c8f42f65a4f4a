/** The commands against a fleet: exit codes, what programs read, what people see. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startControl } from "../../src/server/control-socket.ts";
import { files, processes } from "../../src/tools/kits.ts";
import { harmFirst } from "../blobs/fs/world.ts";
import { banyan } from "../support/command-line.ts";
import { openFleet } from "../support/fleet.ts";
import { scriptedModel } from "../support/models.ts";

/** A lead and a child that wrote an artifact, with a control socket. */
async function openLive() {
  const fleet = await openFleet();
  const lead = await fleet.lead();
  const kid = await lead.spawn({ name: "kid", task: "write map" });
  await kid.result();
  await fleet.became(lead, "waiting message");
  const control = await startControl(fleet.banyan.runtime);
  const environment = { BANYAN_DATA_DIR: fleet.folder };
  return {
    fleet,
    lead,
    kid,
    run: (line: string, more: object = {}) => banyan(line.split(" "), { environment, ...more }),
    async [Symbol.asyncDispose]() {
      await control.stop();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

describe("what programs read", () => {
  test("tree", async () => {
    await using live = await openLive();
    const { exit, out } = await live.run("tree --json");
    expect(exit).toBe(0);
    const rows = JSON.parse(out);
    expect(rows).toMatchObject([
      { id: live.lead.id, parentId: null, level: 0, name: "lead", status: "waiting" },
      { id: live.kid.id, parentId: live.lead.id, level: 1 },
    ]);
    for (const row of rows)
      expect(Object.keys(row)).toEqual([
        "id",
        "parentId",
        "level",
        "name",
        "status",
        "turns",
        "costUsd",
        "subtreeCostUsd",
      ]);
    expect(rows[0].subtreeCostUsd).toBeCloseTo(rows[0].costUsd + rows[1].costUsd);
  });

  test("ps: what runs, with --all what ran, and in the details of its agent", async () => {
    await using live = await openLive();
    expect((await live.run("ps")).err).toBe("no processes\n");
    const model = scriptedModel([
      { calls: [{ id: "c", name: "start_process", input: { name: "server", argv: ["sleep", "1000"] } }] },
      "started",
      "heard",
    ]);
    const { banyan } = live.fleet;
    const host = await banyan.spawn({
      name: "host",
      model,
      mode: "chat",
      task: "go",
      tools: [files({ root: live.fleet.folder }), processes()],
    });
    await live.fleet.became(host, "waiting message");
    const row = { name: "server", path: "/host", agent: host.id, argv: ["sleep", "1000"], restarts: 0, bytes: 0 };
    const [running] = JSON.parse((await live.run("ps --json")).out);
    expect(running).toMatchObject({ ...row, phase: "running", ready: true, end: null });
    expect((await live.run("ps /host")).out).toMatch(/^NAME .*\nserver +\/host +running +\d+ +0 +0 B +sleep 1000\n$/);
    process.kill(running.pid, "SIGKILL");
    await live.fleet.became(host, "running");
    await live.fleet.became(host, "waiting message");
    expect((await live.run("ps")).out).toBe("");
    expect(JSON.parse((await live.run("ps --all --json")).out)).toMatchObject([
      { ...row, phase: "ended", pid: null, end: "signal SIGKILL" },
    ]);
  });

  test("verify", async () => {
    await using live = await openLive();
    const { exit, out } = await live.run("verify --json");
    expect([exit, JSON.parse(out)]).toEqual([
      0,
      { agents: 2, events: expect.any(Number), blobs: 2, damaged: [], ok: true },
    ]);
    expect(Object.keys(JSON.parse(out))).toEqual(["agents", "events", "blobs", "damaged", "ok"]);
  });

  test("logs and messages: one object a line", async () => {
    await using live = await openLive();
    const events = (await live.run("logs /lead/kid --json")).out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ agent: live.kid.id, seq: 1, event: { type: "agent.created" } });
    const messages = (await live.run("logs /lead/kid --messages --json")).out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "tools", "assistant"]);
  });

  test("every verb says how the agent stands", async () => {
    await using live = await openLive();
    const ask = async (line: string) => {
      const { exit, out } = await live.run(`${line} --json`);
      return [exit, JSON.parse(out)];
    };
    const lead = { agent: live.lead.id, name: "lead" };
    expect(await ask("checkpoint create lead here")).toEqual([
      0,
      { ...lead, status: "waiting", checkpoint: "here", seq: expect.any(Number) },
    ]);
    expect(await ask("checkpoint pin lead here")).toEqual([0, { ...lead, status: "waiting", checkpoint: "here" }]);
    expect(await ask("checkpoint unpin lead here")).toEqual([0, { ...lead, status: "waiting", checkpoint: "here" }]);
    expect(await ask("pause lead --reason lunch")).toEqual([0, { ...lead, status: "held" }]);
    expect(await ask("send lead hello")).toEqual([0, { ...lead, status: "held" }]);
    expect(await ask("interrupt lead --subtree")).toEqual([0, { ...lead, status: "held", interrupted: 0 }]);
    expect(await ask("budget lead --usd 5 --agents 10")).toEqual([0, { ...lead, status: "held" }]);
    expect(await ask("rewind lead here")).toEqual([0, { ...lead, status: "held" }]);
    expect(await ask("resume lead")).toMatchObject([0, lead]);
    expect(await ask("fork lead --at here --subtree --as root --name twin")).toMatchObject([
      0,
      { name: "twin", path: "/twin" },
    ]);
    expect(await ask("cancel twin")).toMatchObject([0, { name: "twin", status: "cancelled" }]);
    expect(live.lead.head.budget).toEqual({ costUsd: 5, agents: 10 });
  });

  test("cost, artifact ls, doctor, config check", async () => {
    await using live = await openLive();
    expect(JSON.parse((await live.run("cost --by model --json")).out)).toMatchObject({
      groups: [{ key: "scripted", agents: 2 }],
      total: { agents: 2 },
    });
    expect(JSON.parse((await live.run("artifact ls --json")).out)).toMatchObject([
      { name: "map", path: "/lead/kid", bytes: 8 },
    ]);
    expect(JSON.parse((await live.run("artifact versions map --json")).out)).toMatchObject([
      { version: 1, name: "map", current: true },
    ]);
    expect((await live.run("artifact versions map")).out).toMatch(/^VERSION.*\n1 \*/);
    expect((await live.run("artifact prune --dry-run")).out).toMatch(/^0 of \d blobs would be removed, .* would have /);
    expect(JSON.parse((await live.run("artifact prune --grace 3h --json")).out)).toMatchObject({ removed: 0 });
    expect(await live.run("artifact prune --grace 5m")).toMatchObject({ exit: 2 });
    expect((await live.run("capacity")).out).toMatch(/ free: full in \d+ days at this rate\n+DAY[\s\S]*\/lead/);
    expect(await live.run("artifact scrub --rate 1000")).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^\d blobs read, .*: 0 damaged, 0 missing, 0 mended\n$/),
    });
    const doctor = await live.run("doctor --json");
    expect(JSON.parse(doctor.out)).toMatchObject({ ok: true });
    expect(JSON.parse(doctor.out).findings.map(({ about }: { about: string }) => about)).toEqual(
      expect.arrayContaining(["node", "disk", "fsync", "journal", "owner"]),
    );
    expect(JSON.parse((await live.run("config check --json")).out)).toContainEqual({
      name: "dataDir",
      value: live.fleet.folder,
      source: "BANYAN_DATA_DIR",
      variable: "BANYAN_DATA_DIR",
    });
  });
});

describe("exit codes come from the registry, and errors are told once, on the error stream", () => {
  // What is refused changes nothing, so one fleet does for all.
  let refusing: Awaited<ReturnType<typeof openLive>>;
  beforeAll(async () => {
    refusing = await openLive();
  });
  afterAll(() => refusing[Symbol.asyncDispose]());

  test.each([
    ["tree nobody", 3, "AGENT_NOT_FOUND"],
    ["pause /lead/kid", 4, "AGENT_ENDED"],
    ["resume lead", 4, "NOT_HELD"],
    ["rewind lead nowhere", 3, "CHECKPOINT_NOT_FOUND"],
    ["answer lead c1 rerun", 3, "CALL_NOT_FOUND"],
    ["answer lead c1 deny --reason no", 3, "CALL_NOT_FOUND"],
    ["artifact get none", 3, "ARTIFACT_NOT_FOUND"],
    ["artifact get sha256:zz", 2, "INPUT_INVALID"],
    ["fork lead --name ../x", 2, "INPUT_INVALID"],
    ["fork lead --as cousin", 2, "INPUT_INVALID"],
    ["logs --messages", 2, "INPUT_INVALID"],
    ["logs --from later", 2, "INPUT_INVALID"],
    ["budget lead", 2, "INPUT_INVALID"],
    ["cost --by weather", 2, "INPUT_INVALID"],
    ["frobnicate", 2, "INPUT_INVALID"],
    ["pause", 2, "INPUT_INVALID"],
    ["pause lead kid", 2, "INPUT_INVALID"],
    ["tree --colour", 2, "INPUT_INVALID"],
    ["simulate --faults storm=0.5", 2, "INPUT_INVALID"],
    ["simulate --mind replay", 2, "INPUT_INVALID"],
    ["tree --config none.json", 2, "CONFIG_INVALID"],
  ])("%s exits %i with %s", async (line, exit, code) => {
    const plain = await refusing.run(line);
    expect(plain).toMatchObject({ exit, out: "" });
    expect(plain.err).toMatch(new RegExp(`^error ${code}: .+\n.+\n$`));
    const json = await refusing.run(`${line} --json`);
    expect(json).toMatchObject({ exit, out: "" });
    expect(JSON.parse(json.err)).toEqual({
      error: expect.objectContaining({ code, message: expect.any(String), remedy: expect.any(String) }),
    });
  });

  test("verify exits 1 when something is damaged, and says what", async () => {
    await using live = await openLive();
    const digest = harmFirst(join(live.fleet.folder, "blobs"), "bytes");
    expect(await live.run("verify")).toMatchObject({
      exit: 1,
      out: expect.stringContaining(`the blob ${digest} is missing`),
      err: "",
    });
    const { exit, out } = await live.run("verify --json");
    expect([exit, JSON.parse(out)]).toEqual([
      1,
      expect.objectContaining({
        ok: false,
        damaged: [{ agent: expect.any(String), seq: expect.any(Number), what: expect.stringContaining(digest) }],
      }),
    ]);
  });

  test("a folder without data exits 3, and none is made", async () => {
    const folder = mkdtempSync(join(tmpdir(), "banyan-cli-"));
    for (const line of [["tree"], ["pause", "x"], ["verify"], ["top"]]) {
      expect(await banyan([...line, "--data", join(folder, "none")])).toMatchObject({
        exit: 3,
        out: "",
        err: expect.stringContaining("DATA_NOT_FOUND"),
      });
    }
    rmSync(folder, { recursive: true });
  });

  test("help is no error", async () => {
    const { exit, out, err } = await banyan(["--help"]);
    expect([exit, err]).toEqual([0, ""]);
    for (const name of [
      "run",
      "replay",
      "tree",
      "top",
      "logs",
      "pause",
      "resume",
      "interrupt",
      "send",
      "fork",
      "rewind",
      "cancel",
      "checkpoint",
      "answer",
      "artifact",
      "cost",
      "verify",
      "simulate",
      "doctor",
    ]) {
      expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
    }
    expect(await banyan(["fork", "--help"])).toMatchObject({ exit: 0, out: expect.stringContaining("--subtree") });
  });

  test("a slip is answered with what was probably meant", async () => {
    expect((await banyan(["tre"])).err).toContain("Did you mean tree?");
  });
});

describe("what people see", () => {
  test("an option goes before the environment, and that before the settings", async () => {
    await using live = await openLive();
    const { out } = await banyan(["tree", "--data", live.fleet.folder], {
      environment: { BANYAN_DATA_DIR: "/nowhere" },
    });
    expect(out).toContain("lead");
  });

  test("colour on a terminal, and not where NO_COLOR asks for none or there is no terminal", async () => {
    await using live = await openLive();
    const environment = { BANYAN_DATA_DIR: live.fleet.folder };
    const tree = (more: object) => live.run("tree", { environment, columns: 100, ...more });
    expect((await tree({ isTTY: true })).out).toContain("\u001b[");
    expect((await tree({ isTTY: true, environment: { ...environment, NO_COLOR: "1" } })).out).not.toContain("\u001b");
    expect((await tree({ isTTY: true, environment: { ...environment, TERM: "dumb" } })).out).not.toContain("\u001b");
    expect((await tree({ isTTY: false })).out).not.toContain("\u001b");
  });

  test("an artifact: to a file and to a pipe byte by byte, to a terminal made safe", async () => {
    await using live = await openLive();
    expect(await live.run("artifact get map")).toMatchObject({ exit: 0, out: "The map." });
    expect(await live.run("artifact get map --from 4 --to 7")).toMatchObject({ exit: 0, out: "map" });
    expect(await live.run("artifact get map --from 7 --to 4")).toMatchObject({ exit: 2 });
    const file = join(live.fleet.folder, "map.txt");
    expect(await live.run(`artifact get map --agent /lead/kid -o ${file}`)).toMatchObject({ exit: 0, out: "" });
    expect(readFileSync(file, "utf8")).toBe("The map.");

    const rude = await live.lead.spawn({ name: "rude", task: "write rude a\u001b[2J\u001b]0;owned\u0007b" });
    await rude.result();
    expect((await live.run("artifact get rude")).out).toBe("a\u001b[2J\u001b]0;owned\u0007b");
    expect((await live.run("artifact get rude", { isTTY: true })).out).toBe("a␛[2J␛]0;owned␇b\n");
  });

  test("hostile words of agents drive no terminal, wherever they are shown", async () => {
    await using live = await openLive();
    const hostile = "\u001b[2J\u001b]0;owned\u0007\u202ereversed";
    await live.lead.send(hostile);
    await live.fleet.became(live.lead, "waiting message");
    await live.lead.pause({ reason: hostile });
    for (const line of ["tree", "top", "logs", "logs lead --messages", "cost", "artifact ls", "doctor"]) {
      const { out, err } = await live.run(line, { columns: 200 });
      expect(out + err).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    }
  });

  test("a command on data that no process runs says so", async () => {
    await using fleet = await openFleet();
    await fleet.lead();
    await fleet.banyan.close();
    const { exit, out, err } = await banyan(["pause", "lead", "--data", fleet.folder]);
    expect([exit, out]).toEqual([0, expect.stringMatching(/^lead \(\w{26}\) is held\n$/)]);
    expect(err).toContain("no process runs on this data");
    expect((await banyan(["logs", "-f", "--data", fleet.folder])).err).toContain("nothing to follow");
  });
});

describe("what goes on until it is interrupted", () => {
  test("logs -f shows events as they come, and Ctrl-C is no error", async () => {
    await using live = await openLive();
    const interrupt = new AbortController();
    const onOut = (text: string) => {
      if (text.includes("agent.created")) void live.lead.pause();
      if (text.includes("hold.set")) interrupt.abort();
    };
    const { exit, err } = await live.run("logs lead -f", { interrupted: interrupt.signal, onOut });
    expect([exit, err]).toEqual([0, ""]);
  });

  test("logs -f of an agent that ends, ends with it", async () => {
    await using live = await openLive();
    const other = await live.lead.spawn({ name: "other", task: "hello" });
    const { exit, out } = await live.run(`logs ${other.id} -f`);
    expect([exit, out.trim().split("\n").at(-1)]).toEqual([0, expect.stringContaining("agent.completed")]);
  });

  test("top draws again when something happened, within the terminal", async () => {
    await using live = await openLive();
    const interrupt = new AbortController();
    let frames = "";
    const onOut = (text: string) => {
      frames += text;
      if (text.includes("waiting message")) void live.lead.pause();
      if (frames.includes("held")) interrupt.abort();
    };
    const { exit } = await live.run("top", {
      isTTY: true,
      columns: 80,
      rows: 10,
      interrupted: interrupt.signal,
      onOut,
    });
    expect(exit).toBe(0);
    expect(frames).toContain("held");
  });

  test("simulate answers until Ctrl-C, and tells what it was asked", async () => {
    const interrupt = new AbortController();
    const request = async (url: string) => {
      const body = JSON.stringify({
        model: "claude-sonnet-4-5",
        max_tokens: 50,
        messages: [{ role: "user", content: "say it again" }],
      });
      const response = await fetch(`${url}/v1/messages`, {
        method: "POST",
        body,
        headers: { "x-api-key": "any", "anthropic-version": "2023-06-01", "content-type": "application/json" },
      });
      expect(await response.json()).toMatchObject({ content: [{ type: "text", text: "say it again" }] });
      interrupt.abort();
    };
    let asked: Promise<void> | undefined;
    const onOut = (text: string) => {
      asked = request(text.replace("listening on ", "").trim());
    };
    const { exit, err } = await banyan(["simulate", "--mind", "echo"], { interrupted: interrupt.signal, onOut });
    await asked;
    expect([exit, err]).toEqual([0, expect.stringContaining("1 call, 1 answered")]);
  });
});
