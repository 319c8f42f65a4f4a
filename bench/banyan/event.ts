/** What one event costs from the decision to its being durable and folded, all of a turn's work included: CPU of the whole process. */
import { Banyan } from "../../src/index.ts";
import { timed } from "../core/measure.ts";
import { payloadModel } from "../core/payload-model.ts";
import type { Figure } from "../core/workloads.ts";
import { work } from "./contender.ts";

const AGENTS = 100;
const WARM_TURNS = 20;
const TURNS = 200;

export async function eventCost(folder: string): Promise<Figure[]> {
  await using banyan = await Banyan.open(folder, { runningMax: AGENTS, tools: [work] });
  const live = async (turns: number) => {
    const options = { model: payloadModel(turns), task: "go", tools: [work] };
    const agents = await Promise.all(Array.from({ length: AGENTS }, () => banyan.spawn(options)));
    await Promise.all(agents.map((agent) => agent.result()));
  };
  await live(WARM_TURNS);
  let events = 0;
  const stop = banyan.runtime.coordinator.watch((_agent, recorded) => {
    events += recorded.length;
  });
  const [, { seconds, cpuSeconds }] = await timed(() => live(TURNS));
  stop();
  const turns = AGENTS * (TURNS + 1);
  return [
    { figure: "CPU an event", value: (cpuSeconds / events) * 1e6, unit: "us" },
    { figure: "CPU a turn", value: (cpuSeconds / turns) * 1e6, unit: "us" },
    { figure: "events a turn", value: events / turns, unit: "" },
    { figure: "events per second", value: events / seconds, unit: "1/s" },
    { figure: "turns per second", value: turns / seconds, unit: "1/s" },
  ];
}
