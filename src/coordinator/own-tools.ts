/**
 * Tools that come with an agent's session, as all others are. What such a call begins and does not see the end of is Banyan's own: an agent
 * that it asks for is a child, and a program that it leaves running is a process.
 */
import type { ToolCall } from "../agent/content.ts";
import type { ProcessPolicy } from "../agent/process-policy.ts";
import type { SubagentReport } from "../agent/waits.ts";
import { assert } from "../base/assert.ts";
import { LIMITS } from "../base/limits.ts";
import { type BackgroundProgram, OwnFailure } from "../drivers/driver.ts";
import type { ProcessAccess, Tool } from "../tools/tool.ts";
import type { Worker } from "./worker.ts";
import type { Workplace } from "./workplace.ts";

/** `waitsFor`: it only begins, and its end is waited for. `report`: that has come. When it runs the agent may have another session. */
export function ownTool(
  { services: { contents } }: Workplace,
  worker: Worker,
  name: string,
  { waitsFor, report }: { waitsFor?: "children"; report?: SubagentReport },
): Tool {
  const { cell } = worker;
  return {
    name,
    description: "",
    inputSchema: {},
    onUnknownOutcome: "report",
    ...(waitsFor && { waitsFor }),
    run: async (input, { callId, signal, agents, processes }) => {
      const call: ToolCall = { type: "toolCall", callId, name, input: { json: input } };
      const own = worker.session?.ownTool?.(name);
      assert(own, `the session of ${cell.agent} has its tool ${name}`);
      if (waitsFor && own.subagent) {
        const { type, ownTools, ...asked } = own.subagent(input);
        await agents.spawn({ ...asked, subagent: { type, ownTools } });
        return "";
      }
      const program = own.background?.(input);
      if (program) return own.run(await cell.load(), call, signal, await start(processes, program));
      const said = report && (await contents.fetch(report.content));
      if (report?.isError) throw new OwnFailure(said);
      return own.run(await cell.load(), call, signal, said);
    },
  };
}

/** Starts it as one of the agent's processes, and says so in words. */
async function start(processes: ProcessAccess, { argv, name: wanted }: BackgroundProgram): Promise<string> {
  const taken = new Set((await processes.list()).map(({ name }) => name));
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
  const { pid } = await processes.start({ name, argv, cwd: ".", policy: POLICY });
  return (
    `Running in the background as the process ${name}, pid ${pid}. A message tells you when it has ended. ` +
    "See what it puts out with process_output, and end it with stop_process."
  );
}

const POLICY: ProcessPolicy = {
  restart: "never",
  restartsMax: LIMITS.processRestartsDefault,
  withinMs: LIMITS.processWithinMsDefault,
  memoryBytesMax: LIMITS.processMemoryBytesDefault,
  outputBytesMax: LIMITS.processOutputBytesMax,
  probes: [],
};
