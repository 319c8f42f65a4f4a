/** The operations that change something. Each is durable when it is answered, and answers with how the agent stands then. */
import type { Sender } from "../agent/events.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import type { Runtime } from "../runtime/open.ts";
import type { Standing } from "./contract/agent.ts";
import type { CommandHandlers } from "./handlers.ts";
import { pathOf, selectAgent } from "./select.ts";

export interface VerbOptions {
  /** Who asks. */
  readonly by: Sender;
  /** Asks this process to stop; absent where none runs the agents. */
  readonly shutDown?: (() => void) | undefined;
}

export function commandHandlers(runtime: Runtime, { by, shutDown }: VerbOptions): CommandHandlers {
  const { coordinator } = runtime;
  const { control, forest } = coordinator;
  const standing = (agent: AgentId): Standing => {
    return { agent, name: forest.get(agent)?.head.name ?? "", status: forest.status(agent) };
  };

  /** Selects the agent, does something to it, and says how it stands then. */
  const on =
    <Input extends { agent: string }>(act: (agent: AgentId, input: Input) => Promise<unknown>) =>
    async (input: Input): Promise<Standing> => {
      const agent = selectAgent(forest, input.agent);
      await act(agent, input);
      return standing(agent);
    };

  return {
    pause: on((agent, { reason, interrupt }) => control.pause(agent, { by, ...defined({ reason, interrupt }) })),
    resume: on((agent) => control.resume(agent, { by })),
    send: on((agent, { text, id }) => control.send(agent, text, { by, ...defined({ id }) })),
    cancel: on((agent, { reason }) => control.cancel(agent, { by, ...defined({ reason }) })),
    answer: on((agent, { callId, decision }) => control.answer(agent, callId, decision, { by })),
    setBudget: on((agent, { budget }) => control.setBudget(agent, budget, { by })),
    rewind: on(async (agent, { to }) => control.rewind(agent, (await sequenceOf(runtime, agent, to)) ?? 0, { by })),
    async interrupt({ agent: selector, subtree = false }) {
      const agent = selectAgent(forest, selector);
      const interrupted = await control.interrupt(agent, { subtree });
      return { ...standing(agent), interrupted };
    },
    async checkpoint({ agent: selector, name, at }) {
      const agent = selectAgent(forest, selector);
      const seq = await control.checkpoint(agent, name, at);
      return { ...standing(agent), seq, checkpoint: name };
    },
    async fork({ agent: selector, at, ...options }) {
      const origin = selectAgent(forest, selector);
      const agent = await coordinator.fork(origin, { ...options, at: await sequenceOf(runtime, origin, at), by });
      return { ...standing(agent), path: pathOf(forest, agent) };
    },
    async shutdown() {
      if (!shutDown) throw new BanyanError("NOT_RUNNING", "no process runs on this data");
      shutDown();
      return { pid: process.pid };
    },
  };
}

/** The sequence of a restore point that may be given by its name. @throws CHECKPOINT_NOT_FOUND */
async function sequenceOf(
  { coordinator }: Runtime,
  agent: AgentId,
  at: number | string | undefined,
): Promise<number | undefined> {
  if (typeof at !== "string") return at;
  const { checkpoints } = await coordinator.state(agent);
  const found = checkpoints.find(({ name }) => name === at);
  if (found) return found.at;
  const known = checkpoints.slice(-NAMED_MAX).map(({ name }) => name);
  const hint = known.length > 0 ? `; it has ${known.join(", ")}` : "; it has none";
  throw new BanyanError("CHECKPOINT_NOT_FOUND", `no checkpoint ${JSON.stringify(at)}${hint}`, { agent });
}

/** Checkpoints that an error names. */
const NAMED_MAX = 5;

type Defined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Without the fields that are undefined, so that defaults apply. */
function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<Fields>;
}
