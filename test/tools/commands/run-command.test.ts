import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { runCommand } from "../../../src/tools/commands/run-command.ts";
import { call, failureOf, toolContext } from "../context.ts";
import { makeWorld, SECRET } from "../files/world.ts";

const world = makeWorld({ "a.txt": "inside\n", "sub/b.txt": "deep\n", "not-a-program": "text" });
const { root, outside } = world;
afterAll(() => world[Symbol.dispose]());
const rights = { root, commands: true };
const run = (argv: string[], more: { cwd?: string; timeoutMs?: number } = {}, signal?: AbortSignal) =>
  call(runCommand, { argv, ...more }, toolContext({ rights, ...(signal && { signal }) }));
const sh = (script: string, more: { cwd?: string; timeoutMs?: number } = {}, signal?: AbortSignal) =>
  run(["sh", "-c", script], more, signal);

/** True when the process still runs; a zombie does not. */
function runs(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !"ZX".includes(stat.slice(stat.lastIndexOf(")") + 2)[0] as string);
  } catch {
    return false;
  }
}

describe("the answer", () => {
  test("how it ended and after how long, then both outputs", async () => {
    expect(await sh("echo out; echo err >&2; exit 3")).toMatch(
      /^exit 3, \d+ ms\nstdout: 4 bytes\nout\nstderr: 4 bytes\nerr$/,
    );
    expect(await run(["true"])).toMatch(/^exit 0, \d+ ms\nstdout: 0 bytes\nstderr: 0 bytes$/);
    expect(await sh("kill -TERM $$")).toMatch(/^signal SIGTERM, /);
  });

  test("of a long output the beginning and the end", async () => {
    const answer = await sh("echo start; head -c 3000000 /dev/zero | tr '\\0' x; echo end");
    expect(answer).toMatch(
      /^exit 0, \d+ ms\nstdout: 3000010 bytes\nstart\nx+\n\[\.\.\. \d+ bytes left out \.\.\.\]\nx+end\nstderr: 0 bytes$/,
    );
    expect(answer.length).toBeLessThan(LIMITS.commandBytesMax);
  });
});

describe("what is refused", () => {
  test("everything, unless the rights allow commands", async () => {
    const refused = call(runCommand, { argv: ["true"] }, toolContext({ rights: { root } }));
    expect((await failureOf(refused)).code).toBe("COMMAND_REFUSED");
  });

  test("a program without a folder to run in", async () => {
    expect(
      (await failureOf(call(runCommand, { argv: ["true"] }, toolContext({ rights: { commands: true } })))).code,
    ).toBe("OUT_OF_ROOT");
  });

  test.each<[string[], { cwd?: string; timeoutMs?: number }, string, string | RegExp]>([
    [
      ["there-is-no-such-program"],
      {},
      "TOOL_FAILED",
      '"there-is-no-such-program" did not start: there is no such program',
    ],
    [["./not-a-program"], {}, "TOOL_FAILED", '"./not-a-program" did not start: it may not be run'],
    [[""], {}, "TOOL_FAILED", /^"" did not start: /],
    [
      ["true", ...Array(900).fill("x".repeat(60_000))],
      {},
      "TOOL_FAILED",
      '"true" did not start: the arguments are too long',
    ],
    [["true"], { cwd: "a.txt" }, "TOOL_FAILED", "a.txt is no folder"],
    [["true"], { cwd: "gone" }, "TOOL_FAILED", "gone: there is no such file or folder"],
    [["true"], { cwd: ".." }, "OUT_OF_ROOT", /leads out/],
    [["true"], { cwd: outside }, "OUT_OF_ROOT", /leads out/],
    [["true"], { cwd: "link" }, "OUT_OF_ROOT", /leads out/],
    [[], {}, "INPUT_INVALID", /^argv: /],
    [["a\0b"], {}, "INPUT_INVALID", /^argv\.0: /],
    [["true"], { timeoutMs: LIMITS.commandMsMax + 1 }, "INPUT_INVALID", /^timeoutMs: /],
  ])("%# a bad call", async (argv, more, code, message) => {
    if (more.cwd === "link") symlinkSync(outside, join(root, "link"));
    const failure = await failureOf(run(argv, more));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
  });
});

describe("where and as what it runs", () => {
  test("in the root, or in a folder of it", async () => {
    expect(await run(["cat", "a.txt"])).toContain("\ninside\n");
    expect(await run(["cat", "b.txt"], { cwd: "sub" })).toContain("\ndeep\n");
    expect(await run(["pwd", "-P"], { cwd: "sub" })).toContain(`\n${join(root, "sub")}\n`);
  });

  test("G2: no shell reads the arguments", async () => {
    expect(await run(["echo", "$HOME", "*", "; ls", "`id`", "$(id)", "&&", "-n"])).toContain(
      "\n$HOME * ; ls `id` $(id) && -n\n",
    );
  });

  test("it has no input to wait for", async () => {
    expect(await run(["cat"])).toMatch(/^exit 0, /);
  });

  describe("its environment", () => {
    const planted = {
      ANTHROPIC_API_KEY: SECRET,
      AWS_SECRET_ACCESS_KEY: SECRET,
      NPM_TOKEN: SECRET,
      LD_PRELOAD_NOTE: SECRET,
      NODE_OPTIONS_NOTE: SECRET,
    };
    afterEach(() => {
      for (const name of Object.keys(planted)) delete process.env[name];
    });

    test("has what programs need and no secret", async () => {
      Object.assign(process.env, planted);
      const answer = await run(["env"]);
      expect(answer).not.toContain(SECRET);
      const names = [...answer.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name).sort();
      const ofShells = ["PWD", "SHLVL", "_"];
      const allowed = [...ofShells, "BANYAN_CALLS", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "PATH", "TMPDIR", "TZ"];
      expect(names.filter((name) => !allowed.includes(name as string))).toEqual([]);
      for (const needed of ["BANYAN_CALLS", "HOME", "PATH", "TMPDIR"]) expect(names).toContain(needed);
    });

    test("has a home that is empty, its own, and gone afterwards", async () => {
      const answer = await sh(
        'echo "home=$HOME"; ls -A "$HOME" | wc -l; echo x > "$HOME/file"; test "$HOME" = "$TMPDIR"',
      );
      expect(answer).toMatch(/^exit 0, .*\nstdout: .*\nhome=.*\n0\n/);
      const home = answer.match(/home=(.*)/)?.[1] as string;
      expect(home.startsWith(join(tmpdir(), "banyan-process-"))).toBe(true);
      expect(() => readdirSync(home)).toThrow(/ENOENT/);
    });
  });
});

describe("G1: nothing that it started runs on", () => {
  const pidsIn = (answer: string) => [...answer.matchAll(/pid=(\d+)/g)].map(([, pid]) => Number(pid));

  const leaving: [string, string][] = [
    ["a process in the background", "sleep 1000 & echo pid=$!"],
    ["one that ignores signals", "(trap '' TERM HUP INT; sleep 1000) & echo pid=$!"],
    ["a grandchild whose parent has ended", "sh -c 'sleep 1000 & echo pid=$!'"],
    ["one that holds no output", "sleep 1000 >/dev/null 2>&1 & echo pid=$!"],
    ["one with a clean environment", "env -i sleep 1000 & echo pid=$!"],
    [
      "one with a clean environment that takes long to die",
      `env -i ${process.execPath} -e 'Buffer.alloc(3e8, 1); fs.writeFileSync("ready", "."); setInterval(() => {}, 1e6)' >/dev/null 2>&1 & echo pid=$!; read line < ready; true`,
    ],
    ["one in a session of its own", "setsid sh -c 'echo pid=$$; echo > ready; exec sleep 1000' & read line < ready"],
    [
      "one in a session of its own whose parent has ended",
      "setsid -f sh -c 'echo pid=$$; echo > ready; exec sleep 1000'; read line < ready",
    ],
    [
      "one in a session of its own with a clean environment whose parent has ended",
      "setsid -f env -i sh -c 'echo pid=$$; echo > ready; exec sleep 1000'; read line < ready",
    ],
    ["ten of them", "for i in 0 1 2 3 4 5 6 7 8 9; do setsid sleep 1000 & echo pid=$!; done"],
  ];

  test.each(leaving)("it ends: %s", async (name, script) => {
    const folder = `leaving-${name.replaceAll(" ", "-")}`;
    mkdirSync(join(root, folder));
    await run(["mkfifo", "ready"], { cwd: folder });
    const answer = await sh(script, { cwd: folder });
    expect(answer).toMatch(/^exit 0, /);
    expect(pidsIn(answer).length).toBeGreaterThan(0);
    for (const pid of pidsIn(answer)) expect(runs(pid)).toBe(false);
  });

  test("it reaches its time limit, and what it put out until then is answered", async () => {
    const answer = await sh("echo pid=$$; setsid sleep 1000 & echo pid=$!; sleep 1000", { timeoutMs: 300 });
    expect(answer).toMatch(/^ended by the time limit of 300 ms, \d+ ms\nstdout: /);
    expect(pidsIn(answer)).toHaveLength(2);
    for (const pid of pidsIn(answer)) expect(runs(pid)).toBe(false);
  });

  test("it reaches the output limit", async () => {
    const answer = await run(["yes"]);
    expect(answer).toMatch(`ended by the output limit of ${LIMITS.commandOutputBytesMax} bytes, `);
  });

  test("the call is aborted", async () => {
    const stopping = new AbortController();
    await run(["mkfifo", "pids"]);
    const work = sh("sleep 1000 & echo $! > pids; sleep 1000", {}, stopping.signal);
    // Reading waits until the program has started its child and says so.
    const pid = Number((await run(["cat", "pids"])).match(/\n(\d+)\n/)?.[1]);
    expect(runs(pid)).toBe(true);
    stopping.abort(new Error("stop"));
    await expect(work).rejects.toThrow("stop");
    expect(runs(pid)).toBe(false);
  });

  test("the call was aborted before it started", async () => {
    await expect(sh("echo x > started", {}, AbortSignal.abort(new Error("stop")))).rejects.toThrow("stop");
    expect(readdirSync(root)).not.toContain("started");
  });

  test("a command does not end what another started", async () => {
    await run(["mkfifo", "begin"]);
    const other = sh("read line < begin; echo alive");
    await sh("sleep 1000 &");
    await sh("echo go > begin");
    expect(await other).toContain("\nalive\n");
  });
});

test("what a Banyan inside a command starts carries the marks of both", async () => {
  process.env.BANYAN_CALLS = "outer.1";
  try {
    expect(await run(["env"])).toMatch(/\nBANYAN_CALLS=outer\.1 data-of-a-test host-test-\d+ mark-\d+\n/);
  } finally {
    delete process.env.BANYAN_CALLS;
  }
});
