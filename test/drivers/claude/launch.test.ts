/** The process of a session, with a program in the place of Claude Code. */
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { launch } from "../../../src/drivers/claude/launch.ts";
import { LimitMarks } from "../../../src/processes/limit-mark.ts";
import { Warden } from "../../../src/processes/warden.ts";
import { runs } from "../../support/processes.ts";

const marks = [`claude-test-${process.pid}`, `claude-test-session-${process.pid}`] as const;
const limits = new LimitMarks({ data: marks[0], host: marks[0] });
const warden = new Warden(marks[0], limits.host);
afterEach(() => warden.close());

function session(script: string, ...args: string[]) {
  const env = { PATH: process.env.PATH };
  return launch({ command: "sh", args: ["-c", script, "session", ...args], cwd: "/", env }, { marks, warden, limits });
}

test("its arguments are its own, and no shell reads them", async () => {
  const { process: child, exited } = session('printf "%s\\n" "$@"; exit 3', "$HOME", "a b", "-x");
  const [text] = await once(child.stdout as NodeJS.ReadableStream, "data");
  expect(String(text)).toBe("$HOME\na b\n-x\n");
  expect(await exited).toBe("exit code 3");
});

test("X1: once it has ended nothing of it runs, what left its group and cleaned its environment included", async () => {
  const { process: child, end } = session(
    "setsid -f env -i sh -c 'setsid -f sh -c \"echo \\$\\$; exec sleep 1000\"'; exec sleep 1000",
  );
  const [text] = await once(child.stdout as NodeJS.ReadableStream, "data");
  const pid = Number(text);
  expect([runs(pid), runs(child.pid as number)]).toEqual([true, true]);
  await end();
  expect([runs(pid), runs(child.pid as number)]).toEqual([false, false]);
});
