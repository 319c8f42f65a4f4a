/** H1 to H4 of the launch port, with real processes. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Launched } from "../../src/processes/launch.ts";
import { type Ground, openGround, PLAIN_POLICY, runs } from "../support/processes.ts";

let ground: Ground;
beforeEach(async () => {
  ground = await openGround();
});
afterEach(() => ground[Symbol.asyncDispose]());

let marks = 0;
/** Launched, with its output as text. */
async function launch(argv: string[], { cwd = "." } = {}) {
  marks += 1;
  const mark = `mark-${process.pid}-${marks}-`;
  const rights = { root: ground.folder, commands: true, spawn: false };
  const launched = await ground.launch.launch({ argv, cwd, rights, mark }, PLAIN_POLICY);
  const chunks: Uint8Array[] = [];
  let onText = () => {};
  launched.onOutput((chunk) => {
    chunks.push(chunk);
    onText();
  });
  const text = () => Buffer.concat(chunks).toString();
  const said = (wanted: string) =>
    new Promise<void>((resolve) => {
      onText = () => text().includes(wanted) && resolve();
      onText();
    });
  return { launched, mark, text, said };
}
const sh = (script: string) => launch(["sh", "-c", script]);
const end = async ({ launched }: { launched: Launched }) => {
  launched.signal("SIGKILL");
  return launched.clear();
};

describe("starting", () => {
  test("H1: the program does not begin before its go", async () => {
    const started = await sh("echo begun");
    expect(runs(started.launched.system.pid)).toBe(true);
    expect(started.launched.system.startTicks).toBeGreaterThan(0);
    expect(await end(started)).toBe(0);
    expect(started.text()).toBe("");
    expect(runs(started.launched.system.pid)).toBe(false);
  });

  test("it is the very process that was prepared, in its folder, with both streams and an input", async () => {
    const { launched, text } = await sh('echo $$ && pwd -P && read line && echo "got $line" >&2; exit 3');
    await launched.go();
    await launched.write("hello\n", true);
    expect(await launched.exited).toEqual({ code: 3, signal: undefined });
    expect(await launched.clear()).toBe(0);
    expect(text()).toBe(`${launched.system.pid}\n${ground.folder}\ngot hello\n`);
  });

  test("no shell reads the arguments", async () => {
    const { launched, text } = await launch(["echo", "$HOME", "; ls", "`id`", "-n", ""]);
    await launched.go();
    await launched.exited;
    await launched.clear();
    expect(text()).toBe("$HOME ; ls `id` -n \n");
  });

  test.each([
    [["there-is-no-such-program"], '"there-is-no-such-program" did not start: there is no such program'],
    [["./"], '"./" did not start: there is no such program'],
    [[""], '"" did not start: there is no such program'],
    [["/etc/passwd"], '"/etc/passwd" did not start: it may not be run'],
  ])("%j cannot be started", async (argv, message) => {
    await expect(launch(argv)).rejects.toThrow(message);
  });

  test("a folder outside the agent's is refused", async () => {
    await expect(launch(["true"], { cwd: ".." })).rejects.toMatchObject({ code: "OUT_OF_ROOT" });
  });

  test("it reads no input that it was not sent once it has ended", async () => {
    const { launched } = await sh("exec true");
    await launched.go();
    await launched.exited;
    await launched.clear();
    await expect(launched.write("late", false)).rejects.toMatchObject({ code: "TOOL_FAILED" });
  });
});

describe("H2, H3: ending", () => {
  test("the exit is told while a grandchild holds the output, and clearing ends that too", async () => {
    const { launched, said, text } = await sh("sleep 1000 & echo pid=$!; exit 0");
    await launched.go();
    await said("pid=");
    expect(await launched.exited).toEqual({ code: 0, signal: undefined });
    const pid = Number(text().slice(4));
    expect(runs(pid)).toBe(true);
    expect(await launched.clear()).toBe(0);
    expect(runs(pid)).toBe(false);
  });

  test("a double fork into a session of its own does not escape", async () => {
    const started = await sh("setsid -f sh -c 'echo pid=$$; exec sleep 1000'; exec sleep 1000");
    await started.launched.go();
    await started.said("pid=");
    const pid = Number(started.text().slice(4));
    expect(runs(pid)).toBe(true);
    expect(await end(started)).toBe(0);
    expect(runs(pid)).toBe(false);
  });

  test("nor one that cleans its environment, too", async () => {
    const leaving = "setsid -f env -i sh -c 'setsid -f sh -c \"echo pid=\\$\\$; exec sleep 1000\"'; exec sleep 1000";
    const [started, other] = await Promise.all([sh(leaving), sh(leaving)]);
    for (const { launched } of [started, other]) await launched.go();
    await Promise.all([started.said("\n"), other.said("\n")]);
    const [pid, others] = [started, other].map(({ text }) => Number(/pid=(\d+)/.exec(text())?.[1])) as [number, number];
    expect([runs(pid), readFileSync(`/proc/${pid}/environ`, "utf8").includes("BANYAN")]).toEqual([true, false]);
    expect(await end(started)).toBe(0);
    expect([runs(pid), runs(others)]).toEqual([false, true]);
    expect(await end(other)).toBe(0);
    expect(runs(others)).toBe(false);
  });

  test("50 at once are cleared together", async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, () => sh("setsid -f sleep 1000; echo up; exec sleep 1000")),
    );
    await Promise.all(all.map(({ launched }) => launched.go()));
    await Promise.all(all.map(({ said }) => said("up")));
    expect(await Promise.all(all.map(end))).toEqual(all.map(() => 0));
    for (const { mark } of all) expect(ground.marked(mark)).toEqual([]);
  });
});

describe("H4: with the host", () => {
  /** A host of its own that starts a program, tells, and is killed. */
  async function killedHost(script: string, go: boolean): Promise<{ before: number[]; data: string }> {
    const mark = `victim-${process.pid}-${++marks}-`;
    const source = `
      import { createLaunch } from ${JSON.stringify(new URL("../../src/runtime/launch.ts", import.meta.url).href)};
      const launch = await createLaunch(process.argv[1], { host: process.argv[2] });
      const rights = { root: process.argv[1], commands: true, spawn: false };
      const launched = await launch.launch({ argv: ["sh", "-c", process.argv[4]], cwd: ".", rights, mark: process.argv[3] }, ${JSON.stringify(PLAIN_POLICY)});
      launched.onOutput((chunk) => process.stdout.write(chunk));
      if (${go}) await launched.go();
      else process.stdout.write("up");
    `;
    const host = spawn(process.execPath, ["--input-type=module", "-e", source, ground.folder, mark, mark, script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    await new Promise<void>((resolve) => {
      host.stdout.on("data", (chunk) => {
        text += chunk;
        if (text.includes("up")) resolve();
      });
    });
    const before = [...ground.marked(mark), ...[...text.matchAll(/pid=(\d+)/g)].map(([, pid]) => Number(pid))];
    const gone = new Promise((resolve) => host.once("exit", resolve));
    host.kill("SIGKILL");
    await gone;
    const killedMs = performance.now();
    await ground.until(() => ground.marked(mark).length === 0 && !before.some(runs));
    expect(performance.now() - killedMs).toBeLessThan(1_000);
    return { before, data: mark };
  }

  test("SIGKILL of the host: nothing is left within a second, what left its group included", async () => {
    const { before } = await killedHost("setsid -f sleep 1000; sleep 1000 & echo up; exec sleep 1000", true);
    expect(before).toHaveLength(3);
  });

  test("a clean environment in the group is no way out either", async () => {
    const { before } = await killedHost("env -i sleep 1000 & echo up; exec sleep 1000", true);
    expect(before.length).toBeGreaterThan(0);
  });

  test("nor is one in a session of its own, of what its parent left behind", async () => {
    const leaving = "setsid -f env -i sh -c 'echo pid=$$; echo up; exec sleep 1000'; exec sleep 1000";
    const { before } = await killedHost(leaving, true);
    expect(before).toHaveLength(2);
  });

  test("SIGKILL between launch and journal: the program never began, and its gate is gone", async () => {
    const { before } = await killedHost("exec sleep 1000", false);
    expect(before).toHaveLength(1);
  });

  test("what even that left is found by the mark of the data at the next start", async () => {
    const cleaned = "setsid -f env -i sh -c 'echo pid=$$; echo up; exec sleep 1000'";
    const started = await sh(`setsid -f sleep 1000; ${cleaned}; exec sleep 1000`);
    await started.launched.go();
    await started.said("up");
    const pid = Number(/pid=(\d+)/.exec(started.text())?.[1]);
    expect(runs(pid)).toBe(true);
    await ground.launch.sweep();
    expect([ground.marked(started.mark), runs(pid)]).toEqual([[], false]);
    await started.launched.clear();
  });

  test("a recorded number that is another process's now is left alone", async () => {
    const started = await sh("exec sleep 1000");
    const { pid, startTicks = 0 } = started.launched.system;
    await ground.launch.reap({ pid, startTicks: startTicks + 1 });
    expect(runs(pid)).toBe(true);
    await ground.launch.reap({ pid, startTicks });
    expect(await started.launched.exited).toEqual({ code: undefined, signal: "SIGKILL" });
    await started.launched.clear();
  });
});
