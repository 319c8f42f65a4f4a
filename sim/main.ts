/**
 * The simulator's command: many seeds, or one with its log. Says what happened how often, so that nobody takes a world in which nothing
 * went wrong for a proof, and for each broken invariant the command that shows it again.
 */
import { parseArgs } from "node:util";
import { simulate } from "./simulation.ts";

const USAGE = `node sim/main.ts --seeds 1000 [--start 1]   run many seeds
node sim/main.ts --seed 123 [--trace]       run one, and show what happened in it

  --steps K        moments of a world before its faults end
  --big            larger, deeper, longer worlds
  --without NAME   leave out a fault or a verb, or \`people\`; may be given again`;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    start: { type: "string", default: "1" },
    seed: { type: "string" },
    steps: { type: "string" },
    big: { type: "boolean", default: false },
    trace: { type: "boolean", default: false },
    without: { type: "string", multiple: true, default: [] },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(USAGE);
else process.exitCode = await run();

/** Returns the exit code: 1 when an invariant was broken. */
async function run(): Promise<number> {
  const isOne = values.seed !== undefined;
  const first = whole("seed", values.seed ?? values.start);
  const count = isOne ? 1 : whole("seeds", values.seeds);
  const steps = values.steps === undefined ? undefined : whole("steps", values.steps);
  const { big, without } = values;
  const totals = new Map<string, number>();
  const sums = { events: 0, agents: 0, hours: 0, broken: 0 };
  for (let done = 1; done <= count; done++) {
    const seed = first + done - 1;
    const outcome = await simulate({ seed, steps, big, without, traced: values.trace });
    for (const line of outcome.log) console.log(line);
    for (const [what, times] of outcome.counts) totals.set(what, (totals.get(what) ?? 0) + times);
    sums.events += outcome.events;
    sums.agents += outcome.agents;
    sums.hours += outcome.simulatedMs / 3_600_000;
    const { violation } = outcome;
    if (violation) {
      sums.broken += 1;
      console.log(`\nseed ${seed}, step ${violation.step}, ${violation.checker}: ${violation.message}`);
      console.log(`again: ${againCommand(seed)}\n`);
    }
    if (isOne) console.log(`digest ${outcome.digest}`);
    if (isOne || done === count || done % 100 === 0) console.log(progress(done, sums));
  }
  for (const what of [...totals.keys()].sort()) console.log(`${String(totals.get(what)).padStart(10)}  ${what}`);
  return sums.broken > 0 ? 1 : 0;
}

function progress(
  done: number,
  { events, agents, hours, broken }: Record<"events" | "agents" | "hours" | "broken", number>,
) {
  const size = `${agents} agents, ${events} events, ${hours.toFixed(0)} simulated hours`;
  return `${done} ${done === 1 ? "seed" : "seeds"}: ${size}, ${broken === 0 ? "nothing broken" : `${broken} broken`}`;
}

/** The same world, with its log. */
function againCommand(seed: number): string {
  const { steps, big, without } = values;
  const options = [
    ...(steps === undefined ? [] : [`--steps ${steps}`]),
    ...(big ? ["--big"] : []),
    ...without.map((name) => `--without ${name}`),
  ];
  return ["node sim/main.ts", `--seed ${seed}`, ...options, "--trace"].join(" ");
}

function whole(option: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  console.error(`--${option} takes a whole number, not ${JSON.stringify(text)}\n\n${USAGE}`);
  process.exit(2);
}
