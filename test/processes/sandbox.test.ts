/** B1 to B5 with the real bubblewrap, and the refusal without it. */
import { spawnSync } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Rights } from "../../src/agent/events.ts";
import { systemClock } from "../../src/base/clock.ts";
import { SystemLaunch } from "../../src/processes/system-launch.ts";
import { openFolder } from "../../src/runtime/launch.ts";
import { openGround } from "../support/processes.ts";

const hasBubblewrap =
  spawnSync("bwrap", ["--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "true"]).status === 0;

let folder: string;
let launch: SystemLaunch;
let marks = 0;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "banyan-sandbox-test-")));
  mkdirSync(join(folder, "project/data"), { recursive: true });
  writeFileSync(join(folder, "secret"), "outside");
  writeFileSync(join(folder, "project/data/journal"), "journal");
  writeFileSync(join(folder, "project/file"), "inside");
  const hidden = [join(folder, "project/data")];
  const own = { data: `data-${hash("sha256", folder)}`, host: `host-${process.pid}-${++marks}` };
  launch = new SystemLaunch({ clock: systemClock(), marks: own, openFolder, hidden });
});
afterEach(async () => {
  await launch.close();
  await rm(folder, { recursive: true, force: true });
});

const rightsWith = (sandbox: Partial<Rights["sandbox"]> = {}): Rights => ({
  ...{ root: join(folder, "project"), commands: true, spawn: false },
  sandbox: { network: false, readable: [], ...sandbox },
});
const programOf = (script: string, rights = rightsWith()) => {
  marks += 1;
  return { argv: ["sh", "-c", script], cwd: ".", rights, mark: `sandbox-${process.pid}-${marks}-` };
};
async function run(script: string, sandbox: Partial<Rights["sandbox"]> = {}) {
  const program = programOf(script, rightsWith(sandbox));
  return launch.run(program, 20_000, new AbortController().signal);
}

describe.skipIf(!hasBubblewrap)("in the sandbox", () => {
  test("B1: it sees its folder and the system's programs, and nothing else", async () => {
    const { stdout, end } = await run(
      `pwd; cat file; echo; ls -A data; cat ${folder}/secret; ls /root /home /work; true`,
    );
    expect(end).toEqual({ exitCode: 0 });
    expect(stdout.text).toBe(`${folder}/project\ninside\n`);
    expect((await run("cat /etc/shadow")).end).not.toEqual({ exitCode: 0 });
    expect((await run("tr '\\0' '\\n' < /proc/1/environ | grep -c PATH; env | grep -c ^HOME=")).stdout.text).toBe(
      "1\n1\n",
    );
  });

  test("B1: a folder that was named can be read and not written", async () => {
    mkdirSync(join(folder, "library"));
    writeFileSync(join(folder, "library/book"), "book");
    const { stdout, end } = await run(`cat ${folder}/library/book; echo x > ${folder}/library/new`, {
      readable: [join(folder, "library")],
    });
    expect(stdout.text).toBe("book");
    expect(end).not.toEqual({ exitCode: 0 });
  });

  test("B2: what it writes to its folder stays, and everything else goes or fails", async () => {
    const script =
      "echo made > made; echo x > $HOME/x && echo x > /tmp/x; echo x > /usr/x; echo x > /etc/x; echo x > data/journal";
    await run(script);
    expect(readFileSync(join(folder, "project/made"), "utf8")).toBe("made\n");
    expect(existsSync("/tmp/x") || existsSync("/usr/x") || existsSync("/etc/x")).toBe(false);
    expect(readFileSync(join(folder, "project/data/journal"), "utf8")).toBe("journal");
  });

  test("B3: no network, unless it was given", async () => {
    const server = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const script = `${process.execPath} -e 'require("net").connect(${port}, "127.0.0.1").on("data", (d) => console.log(String(d))).on("error", (e) => console.log(e.code))'`;
    const readable = [join(process.execPath, "..")];
    try {
      expect((await run(script, { readable })).stdout.text).toBe("ECONNREFUSED\n");
      expect((await run(script, { readable, network: true })).stdout.text).toBe("hello\n");
    } finally {
      server.close();
    }
  });

  test("B4: other processes are not there, and what cleans its environment and leaves its group ends with it", async () => {
    const started = performance.now();
    const { stdout, left } = await run("ls -d /proc/[0-9]* | wc -l; setsid -f env -i sleep 1000; true");
    expect(Number(stdout.text)).toBeLessThan(8);
    expect(left).toBe(0);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(running(["sleep", "1000"])).toEqual([]);
  });

  test("a background process runs in one, and ends with all that it started", async () => {
    const script = "echo up; while :; do sleep 1001; done";
    const launched = await launch.launch(programOf(`setsid -f env -i /bin/sh -c '${script}'; exec sleep 1001`));
    const up = new Promise((resolve) => launched.onOutput(resolve));
    await launched.go();
    await up;
    expect(running(["/bin/sh", "-c", script]).length).toBeGreaterThan(0);
    expect(await launched.clear()).toBe(0);
    expect([...running(["/bin/sh", "-c", script]), ...running(["sleep", "1001"])]).toEqual([]);
  });

  test("it is given its moment to tidy up", async () => {
    const launched = await launch.launch(
      programOf("trap 'echo tidied; exit 5' TERM; echo up; while :; do sleep 0.1; done"),
    );
    let text = "";
    const { promise, resolve } = Promise.withResolvers<void>();
    launched.onOutput((chunk) => {
      text += Buffer.from(chunk).toString();
      if (text.includes("up")) resolve();
    });
    await launched.go();
    await promise;
    launched.signal("SIGTERM");
    expect(await launched.exited).toMatchObject({ code: 5 });
    await launched.clear();
    expect(text).toContain("tidied");
  });

  test("B5: Banyan's own data is no folder of an agent", async () => {
    const program = programOf("true", { ...rightsWith(), root: join(folder, "project/data") });
    const work = launch.run(program, 1_000, new AbortController().signal);
    await expect(work).rejects.toMatchObject({ code: "SANDBOX_NONE" });
  });

  test("a program that it does not show is named", async () => {
    const program = { ...programOf(""), argv: [process.execPath, "-v"] };
    await expect(launch.run(program, 1_000, new AbortController().signal)).rejects.toMatchObject({
      code: "TOOL_FAILED",
      message: expect.stringContaining("its sandbox does not show it"),
    });
  });
});

test("B5: without bubblewrap nothing runs, and the error says what lacks", async () => {
  await using ground = await openGround();
  const path = process.env.PATH;
  const bin = join(folder, "bin");
  mkdirSync(bin);
  for (const name of ["sh", "env"]) spawnSync("ln", ["-s", `/bin/${name}`, join(bin, name)]);
  process.env.PATH = bin;
  try {
    const refusal = { code: "SANDBOX_NONE", message: expect.stringContaining("bwrap") };
    await expect(run("touch made")).rejects.toMatchObject(refusal);
    await expect(launch.launch(programOf("touch made"))).rejects.toMatchObject(refusal);
    const rights = { ...rightsWith(), root: ground.folder };
    await expect(
      ground.launch.run(programOf("touch made", rights), 1_000, new AbortController().signal),
    ).rejects.toMatchObject(refusal);
  } finally {
    process.env.PATH = path;
  }
  expect(existsSync(join(folder, "project/made"))).toBe(false);
});

/** Those of the host that sleep for so long. */
function running(argv: readonly string[]): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8") === `${argv.join("\0")}\0`;
    } catch {
      return false;
    }
  });
}
