/**
 * `npm run demo`: the main job on this very repository, installed packages included, without a key or a server of yours. It
 * runs once undisturbed and once with a SIGKILL halfway, and then compares: same result, nothing acknowledged lost, no turn
 * paid twice. The provider simulator outlives the killed process, so it is the witness of every model call and of every
 * token billed. Each of the two has one of its own: the second would find the prompt cache of the first, and pay less.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, styleText } from "node:util";
import { decodeEvent } from "../src/agent/codec.ts";
import type { Usage } from "../src/agent/usage.ts";
import type { JobResult } from "../src/cli/run/job.ts";
import { openRuntime } from "../src/runtime/open.ts";
import { type Simulator, startSimulator } from "../src/simulator/simulator.ts";
import { surveyMind } from "../src/simulator/survey/survey.ts";

const TASK = "survey this source tree";
const repository = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({ options: { dir: { type: "string", default: repository } } });

const work = await mkdtemp(join(tmpdir(), "banyan-demo-"));
try {
  process.exitCode = (await demo(values.dir, work)) ? 0 : 1;
} finally {
  await rm(work, { recursive: true, force: true });
}

async function demo(dir: string, folder: string): Promise<boolean> {
  await using calm = await startProvider();
  await using disturbed = await startProvider();
  const [whole, cut, killLog] = [join(folder, "whole"), join(folder, "cut"), join(folder, "acknowledged.json")];
  heading(`1. Undisturbed: every folder of ${dir} gets an agent`);
  const first = await banyan(calm.provider, ["run", TASK, "--dir", dir, "--data", whole, "--json"]);
  const expected = resultIn(first);

  const killAt = Math.floor(expected.events / 2);
  heading(`2. Again, and SIGKILL after ${killAt} of about ${expected.events} events`);
  const killed = await banyan(disturbed.provider, [
    "run",
    TASK,
    "--dir",
    dir,
    "--data",
    cut,
    "--kill-at",
    String(killAt),
    "--kill-log",
    killLog,
  ]);
  const lost = await countLost(cut, killLog);

  heading("3. The same command once more: it goes on where it was");
  const second = await banyan(disturbed.provider, ["run", TASK, "--dir", dir, "--data", cut, "--json"]);
  const found = resultIn(second);
  const inFlight = await lostTurns(cut, found.tree);
  const [calls, callsOfBoth] = [calm.provider.requests.calls, disturbed.provider.requests.calls];
  // A turn is answered once. What was called beyond that can only be calls that the kill took the answer from.
  const again = callsOfBoth - found.turns;

  heading("What came of it");
  const checks: Check[] = [
    [
      "agents, levels",
      `${expected.agents} on ${expected.levels}`,
      `${found.agents} on ${found.levels}`,
      expected.agents === found.agents && expected.levels === found.levels,
    ],
    ["status", expected.status, found.status, expected.status === "completed" && found.status === "completed"],
    ["map of the whole", digestOf(expected), digestOf(found), digestOf(expected) === digestOf(found)],
    ["model calls", String(calls), String(callsOfBoth), callsOfBoth >= found.turns],
    [
      "turns paid twice",
      "0",
      `${again}, of ${inFlight.turns} in flight at the kill`,
      again >= 0 && again <= inFlight.turns,
    ],
    ["killed by", "-", killed.signal ?? "nothing", killed.signal === "SIGKILL"],
    ["acknowledged events", "-", `${lost.acknowledged} at the kill, ${lost.lost} of them lost`, lost.lost === 0],
    ["recovery", "-", recoveryIn(second), true],
    tokensCheck(expected, calm.provider, found, disturbed.provider),
    [
      "cost",
      `$${expected.costUsd.toFixed(2)}`,
      `$${(found.costUsd - inFlight.costUsd).toFixed(2)}, and at most $${inFlight.costUsd.toFixed(2)} for calls in flight`,
      true,
    ],
  ];
  for (const [what, undisturbed, cutOff, holds] of checks) {
    const mark = holds ? styleText("green", "ok  ") : styleText("red", "FAIL");
    console.log(`${mark} ${what.padEnd(20)} ${undisturbed.padEnd(24)} ${cutOff}`);
  }
  const map = await banyan(calm.provider, ["artifact", "get", "map.md", "--agent", found.tree, "--data", cut], {
    quiet: true,
  });
  heading("The root's artifact, map.md, begins");
  console.log(map.stdout.split("\n").slice(0, 24).join("\n"));
  return checks.every(([, , , holds]) => holds);
}

async function startProvider(): Promise<{ provider: Simulator } & AsyncDisposable> {
  const provider = await startSimulator({ mind: surveyMind() });
  return { provider, [Symbol.asyncDispose]: () => provider.stop() };
}

/** What the journals say was used, beside what the provider counted. Only calls that the kill cut off may differ. */
function tokensCheck(expected: JobResult, calm: Simulator, found: JobResult, disturbed: Simulator): Check {
  const billed = [totalOf(calm.requests.tokens), totalOf(disturbed.requests.tokens)] as const;
  const cutOff = billed[1] - totalOf(found.usage);
  return [
    "tokens billed",
    `${billed[0]}, all recorded`,
    `${billed[1]}, all but ${cutOff} of calls in flight`,
    billed[0] === totalOf(expected.usage) && cutOff >= 0 && cutOff < billed[1] / 100,
  ];
}

function totalOf({ input, output, cacheRead, cacheWrite }: Usage): number {
  return input + output + cacheRead + cacheWrite;
}

type Check = readonly [what: string, undisturbed: string, cutOff: string, holds: boolean];

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the CLI in a process of its own; what it shows of its progress is shown. */
function banyan(provider: Simulator, args: readonly string[], { quiet = false } = {}): Promise<Ended> {
  const environment = { ...process.env, ANTHROPIC_API_KEY: "simulated", ANTHROPIC_BASE_URL: provider.url };
  const child = spawn(process.execPath, [join(repository, "bin", "banyan.js"), ...args], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
    if (!quiet) process.stderr.write(chunk);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

function resultIn({ stdout, code }: Ended): JobResult {
  const line = stdout.trim().split("\n").at(-1);
  if (!line) throw new Error(`banyan run gave no result and exited with ${code}`);
  return JSON.parse(line) as JobResult;
}

function digestOf({ artifacts }: JobResult): string {
  return artifacts.find(({ name }) => name === "map.json")?.digest.slice(0, 19) ?? "none";
}

function recoveryIn({ stderr }: Ended): string {
  return /taken up where it was: (.*)/.exec(stderr)?.[1] ?? "not taken up";
}

/** Compares what the killed process had acknowledged with what its journal holds. */
async function countLost(data: string, killLog: string): Promise<{ acknowledged: number; lost: number }> {
  const promised = JSON.parse(await readFile(killLog, "utf8")) as Record<string, number>;
  const runtime = await openRuntime(data, { readOnly: true });
  try {
    let acknowledged = 0;
    let lost = 0;
    for (const [agent, seq] of Object.entries(promised)) {
      const kept = runtime.coordinator.forest.get(agent)?.head.seq ?? 0;
      acknowledged += seq;
      lost += Math.max(0, seq - kept);
    }
    return { acknowledged, lost };
  } finally {
    await runtime.stop();
  }
}

/** Calls whose answer died with the process, and the upper bound of what they cost. */
async function lostTurns(data: string, tree: string): Promise<{ turns: number; costUsd: number }> {
  const runtime = await openRuntime(data, { readOnly: true });
  const { journal } = runtime.services;
  let turns = 0;
  let costUsd = 0;
  try {
    for (const { head } of runtime.coordinator.forest.subtree(tree)) {
      for await (const records of journal.read(head.agent)) {
        for (const { type, body } of records) {
          const event = decodeEvent(type, body);
          if (event.type !== "turn.lost") continue;
          turns += 1;
          costUsd += event.costUsd;
        }
      }
    }
    return { turns, costUsd };
  } finally {
    await runtime.stop();
  }
}

function heading(text: string): void {
  console.log(`\n${styleText("bold", text)}`);
}
