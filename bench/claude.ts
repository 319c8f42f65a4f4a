/**
 * Claude Code under Banyan beside plain sessions of its SDK, against the provider simulator:
 * `node bench/claude.ts [--only first,busy,interrupt,cancel,tree] [--rounds N] [--out FILE]`. Prints a JSON line for each figure, and how
 * much sooner each first word came than with a cold `query()` of the same rounds.
 */
import { appendFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { cancelled, interrupts } from "./claude/control.ts";
import { type FirstTokens, firstTokens } from "./claude/first-token.ts";
import { missing } from "./claude/stage.ts";
import { tree } from "./claude/tree.ts";
import { type Line, median, quantile, round, significant } from "./core/figures.ts";

const BENCHES: Readonly<Record<string, (rounds: number) => Promise<void>>> = {
  first: async (rounds) => tellFirst("first word", await firstTokens(rounds)),
  busy: async (rounds) => tellFirst("first word, 20 others busy", await firstTokens(rounds, { busy: true })),
  interrupt: async (rounds) => tellTimes("interrupt", "banyan", "to stopped", await interrupts(2 * rounds)),
  cancel: async () => {
    const { agents, lastWordMs, goneMs } = await cancelled(12);
    tell("cancel", "banyan", `last word of ${agents} agents on 12 levels`, lastWordMs, "ms");
    tell("cancel", "banyan", "last process gone", goneMs, "ms");
  },
  tree: async () => {
    const { agents, completed, turns, tookMs, boundMib, peakMib, peakProcesses, startsAtOnce, ...rest } =
      await tree(2_048);
    const note = JSON.stringify(rest);
    tell("tree", "banyan", `completed of ${agents} agents`, completed, "agents", note);
    tell("tree", "banyan", `${turns} turns took`, tookMs / 1_000, "s");
    tell("tree", "banyan", `peak memory, bound ${boundMib}`, peakMib, "MiB");
    tell("tree", "banyan", "peak processes", peakProcesses, "processes");
    tell("tree", "banyan", "starts at once", startsAtOnce, "starts");
  },
};
const MACHINE = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(BENCHES).join() },
    rounds: { type: "string", default: "15" },
    out: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const names = values.only.split(",");
const why = missing();
if (why !== undefined || !Number.isInteger(rounds) || rounds < 1 || names.some((name) => !(name in BENCHES))) {
  console.error(why ?? `Usage: node bench/claude.ts [--only ${Object.keys(BENCHES).join()}] [--rounds N] [--out FILE]`);
  process.exitCode = 2;
} else for (const name of names) await BENCHES[name]?.(rounds);

function tellFirst(bench: string, { cold, plain, ...ours }: FirstTokens): void {
  tellTimes(bench, "claude-agent-sdk", "cold query()", cold);
  tellTimes(bench, "claude-agent-sdk", "open session", plain);
  for (const [how, times] of Object.entries(ours)) {
    if (times.length === 0) continue;
    tellTimes(bench, "banyan", how, times);
    tell(bench, "banyan", `${how}, times sooner, p50`, median(cold) / median(times), "x");
    tell(bench, "banyan", `${how}, times sooner, p95`, quantile(cold, 0.95) / quantile(times, 0.95), "x");
  }
}

function tellTimes(bench: string, contender: string, figure: string, times: readonly number[]): void {
  const note = `${times.length} times`;
  tell(bench, contender, `${figure}, p50`, median(times), "ms", note);
  tell(bench, contender, `${figure}, p95`, quantile(times, 0.95), "ms", note);
}

function tell(bench: string, contender: string, figure: string, value: number, unit: string, note?: string): void {
  const line: Line = {
    ...{ bench: `claude ${bench}`, contender, run: 1, figure, value: significant(value), unit },
    ...{ load: round(loadavg()[0] ?? 0), machine: MACHINE, ...(note !== undefined && { note }) },
  };
  const text = JSON.stringify(line);
  console.log(text);
  if (values.out) appendFileSync(values.out, `${text}\n`);
}
