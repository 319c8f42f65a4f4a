/** `banyan simulate`: the provider simulator in the foreground, or a whole fleet of agents that need none, until Ctrl-C. */
import { InvalidArgumentError, Option } from "commander";
import { BanyanError } from "../../base/errors.ts";
import { seededRandom } from "../../base/random.ts";
import { closestName } from "../../runtime/closest.ts";
import type { RequestCounters } from "../../simulator/counters.ts";
import type { FaultRule } from "../../simulator/faults.ts";
import type { Mind } from "../../simulator/mind.ts";
import type { Pace } from "../../simulator/pace.ts";
import { amount, type Register, wholeNumber } from "../command.ts";
import { plural } from "../figures.ts";
import { type Io, print, printJson, remark } from "../io.ts";

interface Options {
  readonly port: number;
  readonly mind: "survey" | "replay" | "echo";
  readonly recording?: string;
  readonly faults: readonly FaultRule[];
  readonly pace: Pace;
  readonly speed?: number;
  readonly seed: number;
  readonly json?: boolean;
  readonly fleet?: number;
  readonly depth: number;
  readonly rate: number;
  readonly data?: string;
}

const FAULTS = ["rateLimit", "overloaded", "serverError", "slow", "cut", "garbage", "silence", "errorEvent"] as const;
const PACES = ["firstTokenMs", "tokensPerSecond", "tokensPerDelta"] as const;

export const register: Register = (program, io) => {
  program
    .command("simulate")
    .description(
      "run a provider that speaks the Anthropic Messages API on this machine, without a model, or with --fleet a fleet of agents; Ctrl-C ends it",
    )
    .option("--port <port>", "0: the system chooses", wholeNumber, 0)
    .addOption(new Option("--mind <mind>", "what answers").choices(["survey", "replay", "echo"]).default("survey"))
    .option("--recording <file>", "recorded runs for --mind replay: .jsonl or .jsonl.gz")
    .option("--speed <factor>", "how many times as fast as recorded (default: at once)", amount)
    .addOption(
      new Option(
        "--faults <list>",
        `what goes wrong, with its probability, such as rateLimit=0.05,cut=0.01; of ${FAULTS.join(", ")}`,
      )
        .argParser(parseFaults)
        .default([], "none"),
    )
    .addOption(
      new Option("--pace <list>", `how fast, such as firstTokenMs=300,tokensPerSecond=80; of ${PACES.join(", ")}`)
        .argParser(parsePace)
        .default({}, "at once"),
    )
    .option("--seed <seed>", "of the draws that decide what goes wrong", wholeNumber, 0)
    .option("--fleet <agents>", "instead: so many agents that live, to watch and to steer", wholeNumber)
    .option("--depth <levels>", "levels of the fleet", wholeNumber, 10)
    .option("--rate <events>", "events a second of the fleet, of all agents together", amount, 100)
    .option("--data <dir>", "folder of the fleet's data (default: one that is removed at the end)")
    .option("--json", "print JSON: {url, port}, or {data, agents, levels, eventsPerSecond, url, token}")
    .action((options: Options) => simulate(io, options));
};

async function simulate(io: Io, options: Options): Promise<void> {
  const { port, faults, pace, seed, json, fleet } = options;
  if (fleet !== undefined) {
    const { runFleet } = await import("../fleet/fleet.ts");
    return runFleet(io, { ...options, fleet });
  }
  // Loaded here: an HTTP server is no business of the other commands.
  const { startSimulator } = await import("../../simulator/simulator.ts");
  await using simulator = await startSimulator({
    port,
    mind: await mindOf(options),
    faults,
    pace,
    random: seededRandom(seed),
  });
  if (json) await printJson(io, { url: simulator.url, port: simulator.port });
  else {
    await print(io, `listening on ${simulator.url}`);
    remark(io, `use it: ANTHROPIC_BASE_URL=${simulator.url} ANTHROPIC_API_KEY=any banyan run ...`);
  }
  await ended(io);
  if (!json) remark(io, countsOf(simulator.requests));
}

async function mindOf({ mind, recording, speed }: Options): Promise<Mind> {
  if (mind === "survey") return (await import("../../simulator/survey/survey.ts")).surveyMind();
  if (mind === "echo") return (await import("../../simulator/echo.ts")).echoMind();
  if (recording === undefined) throw new BanyanError("INPUT_INVALID", "--mind replay needs --recording FILE");
  const [{ replayMind }, { readRuns }] = await Promise.all([
    import("../../simulator/replay/replay.ts"),
    import("../../simulator/replay/recorded-run.ts"),
  ]);
  const runs = [];
  for await (const run of readRuns(recording)) runs.push(run);
  return replayMind(runs, speed === undefined ? {} : { speed });
}

function ended({ interrupted }: Io): Promise<void> {
  return new Promise((resolve) => {
    if (interrupted.aborted) return resolve();
    interrupted.addEventListener("abort", () => resolve(), { once: true });
  });
}

function parseFaults(text: string): FaultRule[] {
  return pairsOf(text, FAULTS).map(([kind, probability]) => {
    if (probability > 1) throw new InvalidArgumentError(`${kind}: a probability is at most 1`);
    return { kind, when: { probability } };
  });
}

function parsePace(text: string): Pace {
  return Object.fromEntries(pairsOf(text, PACES));
}

/** `name=number,name=number`. */
function pairsOf<Name extends string>(text: string, names: readonly Name[]): [Name, number][] {
  return text.split(",").map((pair) => {
    const [given = "", figure = ""] = pair.split("=").map((part) => part.trim());
    const name = names.find((each) => each === given);
    if (!name) {
      const meant = closestName(given, names);
      throw new InvalidArgumentError(
        `no ${JSON.stringify(given)}${meant ? `; did you mean ${meant}?` : `; there are ${names.join(", ")}`}`,
      );
    }
    return [name, amount(figure)];
  });
}

function countsOf({ calls, answered, tokens, refused, faults }: RequestCounters): string {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ") || "none";
  const { input, cacheRead, cacheWrite, output } = tokens;
  return [
    `${plural(calls, "call")}, ${answered} answered; refused: ${list(refused)}; faults: ${list(faults)}`,
    `tokens: input ${input}, cache read ${cacheRead}, cache write ${cacheWrite}, output ${output}`,
  ].join("\n");
}
