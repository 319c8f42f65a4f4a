/**
 * Every recorded run of real agents, as an agent, on a real disk: its journal, folded, gives back exactly the recorded messages.
 * The recordings stay where they are: BANYAN_DATA, or `shared/data` beside the checkout.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { replay } from "../../src/recordings/replay.ts";

const root = join(import.meta.dirname, "..", "..");
const data = process.env.BANYAN_DATA ?? join(root, "..", "shared", "data");
/** Traces hold no text, so there is nothing to fold back. */
const WITHOUT_MESSAGES = /^(trace_|kvtrace_|toolbench_|beads_)/;
const files = existsSync(data)
  ? readdirSync(data).filter((name) => name.endsWith(".jsonl.gz") && !WITHOUT_MESSAGES.test(name))
  : [];
if (files.length === 0) console.log(`no recorded runs in ${data}: the replay of real runs is skipped`);

test.skipIf(files.length === 0).each(files)(
  "%s: every journal gives back what was recorded",
  { timeout: 300_000 },
  async (file) => {
    const folder = await mkdtemp(join(tmpdir(), "banyan-replay-"));
    try {
      const report = await replay(join(data, file), folder, { concurrency: 16 });
      expect(report.different).toEqual([]);
      expect(report).toMatchObject({ messagesEqual: true, completed: report.runs });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

test.skipIf(files.length === 0)(
  "killed in the middle, the same command ends with the same journals",
  { timeout: 120_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "banyan-replay-"));
    try {
      const file = join(data, files.find((name) => name.startsWith("tau2_sonnet45")) ?? files[0] ?? "");
      const args = ["replay", file, "--data", folder, "--json"];
      const killed = await banyan([...args, "--kill-at", "2000"]);
      expect(killed.signal).toBe("SIGKILL");
      const ended = await banyan(args);
      const report = JSON.parse(ended.stdout) as {
        runs: number;
        completed: number;
        turns: number;
        messagesEqual: boolean;
      };
      expect(report).toMatchObject({ messagesEqual: true, completed: report.runs });
      const whole = await replay(file, join(folder, "whole"), { concurrency: 16 });
      expect(report.turns, "no turn was taken twice").toBe(whole.turns);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);

function banyan(args: readonly string[]): Promise<{ signal: NodeJS.Signals | null; stdout: string }> {
  const child = spawn(process.execPath, [join(root, "bin", "banyan.js"), ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let stdout = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (_code, signal) => resolve({ signal, stdout }));
  });
}
