/** The operations that change something. Each is durable when it is answered, and answers with how the agent stands then. */
import type { Sender } from "../agent/events.ts";
import { collect } from "../artifacts/collect.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { KEEP_DEFAULT } from "../checkpoints/keep-policy.ts";
import { archiveRuntime, restoreArchived } from "../runtime/archive.ts";
import type { Runtime } from "../runtime/open.ts";
import { scrubRuntime } from "../runtime/scrub.ts";
import { ArtifactLinks } from "./artifact-links.ts";
import { findArtifact } from "./artifacts.ts";
import type { Standing } from "./contract/agent.ts";
import type { Checked, Output } from "./contract/operations.ts";
import type { CommandHandlers } from "./handlers.ts";
import { pathOf, selectAgent } from "./select.ts";

/** Begins the tree of a task. */
export type StartTree = (
  asked: Checked<"spawn">,
  /** Who asks. */
  by: Sender,
) => Promise<{ readonly agent: AgentId; readonly resumed: boolean; readonly provider: string }>;

export interface VerbOptions {
  /** Who asks. */
  readonly by: Sender;
  /** Asks this process to stop; absent where none runs the agents. */
  readonly shutDown?: (() => void) | undefined;
  /** Absent where no process takes tasks. */
  readonly startTree?: StartTree | undefined;
}

export function commandHandlers(runtime: Runtime, { by, shutDown, startTree }: VerbOptions): CommandHandlers {
  const { coordinator } = runtime;
  const { control, checkpoints, forest } = coordinator;
  const links = new ArtifactLinks(runtime.folder, runtime.services.random);
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
    async spawn(asked) {
      if (!startTree) throw new BanyanError("NOT_RUNNING", "no process that takes tasks runs on this data");
      const { agent, resumed, provider } = await startTree(asked, by);
      return { ...standing(agent), resumed, provider };
    },
    pause: on((agent, { reason, interrupt }) => control.pause(agent, { by, ...defined({ reason, interrupt }) })),
    resume: on((agent) => control.resume(agent, { by })),
    send: on((agent, { text, id }) => control.send(agent, text, { by, ...defined({ id }) })),
    cancel: on((agent, { reason }) => control.cancel(agent, { by, ...defined({ reason }) })),
    answer: on((agent, { callId, decision, reason }) => control.answer(agent, callId, decision, { by, reason })),
    setBudget: on((agent, { budget }) => control.setBudget(agent, budget, { by })),
    rewind: on(async (agent, { to, files }) =>
      control.rewind(agent, await checkpoints.resolve(agent, to), { by, ...defined({ files }) }),
    ),
    async interrupt({ agent: selector, subtree = false }) {
      const agent = selectAgent(forest, selector);
      const interrupted = await control.interrupt(agent, { by, subtree });
      return { ...standing(agent), interrupted };
    },
    async checkpoint({ agent: selector, name, ...options }) {
      const agent = selectAgent(forest, selector);
      const seq = await control.checkpoint(agent, name, { by, ...defined(options) });
      return { ...standing(agent), seq, checkpoint: name };
    },
    async pinCheckpoint({ agent: selector, checkpoint }) {
      const agent = selectAgent(forest, selector);
      return { ...standing(agent), checkpoint: await checkpoints.pin(agent, checkpoint, { by }) };
    },
    async forgetCheckpoints({ agent: selector, subtree = false, policy = {}, dryRun = false }) {
      const agent = selectAgent(forest, selector);
      const wanted = { ...KEEP_DEFAULT, ...defined(policy) };
      const rotated: Output<"forgetCheckpoints">["checkpoints"] = [];
      for (const each of subtree ? [...forest.subtree(agent)].map(({ head }) => head.agent) : [agent]) {
        const options = { now: runtime.services.clock.now(), dryRun, by };
        for (const row of await checkpoints.rotate(each, wanted, options)) rotated.push({ agent: each, ...row });
      }
      const kept = rotated.filter(({ keptBy }) => keptBy.length > 0).length;
      return { ...standing(agent), checkpoints: rotated, kept, forgotten: rotated.length - kept };
    },
    async unpinCheckpoint({ agent: selector, checkpoint }) {
      const agent = selectAgent(forest, selector);
      return { ...standing(agent), checkpoint: await checkpoints.unpin(agent, checkpoint, { by }) };
    },
    async fork({ agent: selector, at, ...options }) {
      const origin = selectAgent(forest, selector);
      const seq = at === undefined ? undefined : await checkpoints.resolve(origin, at);
      const agent = await coordinator.fork(origin, { ...options, at: seq, by });
      return { ...standing(agent), path: pathOf(forest, agent) };
    },
    async linkArtifact({ agent: selector, name, forMs = LIMITS.linkMsDefault }) {
      const wanted = selector === undefined ? undefined : selectAgent(forest, selector);
      const { agent, digest, bytes, mediaType } = findArtifact(runtime, wanted, name);
      const endTime = runtime.services.clock.now() + forMs;
      await control.noteLink(agent, { name, digest, endTime, by });
      return { path: links.make({ name, digest, mediaType, endTime }), agent, name, digest, bytes, endTime };
    },
    async putArtifact({ agent: selector, name, base64, mediaType = "text/plain" }) {
      const agent = selectAgent(forest, selector);
      const bytes = Buffer.from(base64, "base64");
      return { agent, ...(await control.putArtifact(agent, { name, bytes, mediaType, by })) };
    },
    async revokeLinks() {
      links.revokeAll();
      return { revoked: true };
    },
    async archiveTrees({ agent, ...options }) {
      const root = agent === undefined ? undefined : selectAgent(forest, agent);
      const { trees, failed, ...room } = await archiveRuntime(runtime, { root, ...options });
      return {
        trees: trees.map((tree) => ({ ...tree, path: pathOf(forest, tree.root) })),
        failed: failed.map(({ root: of, error }) => ({ root: of, code: error.code, message: error.message })),
        ...room,
      };
    },
    async restoreArchived({ agent }) {
      const root = selectAgent(forest, agent);
      return { ...(await restoreArchived(runtime, root)), path: pathOf(forest, root) };
    },
    async collectArtifacts({ graceMs, dryRun }) {
      const { journal, blobs, clock } = runtime.services;
      return collect({ journal, blobs, clock, graceMs, dryRun });
    },
    async scrubArtifacts({ bytesPerSecond, backup, identity }) {
      const scrubbed = await scrubRuntime(runtime, { bytesPerSecond, backup, ...(identity && { keys: { identity } }) });
      return { ...scrubbed, unsound: [...scrubbed.unsound] };
    },
    async shutdown() {
      if (!shutDown) throw new BanyanError("NOT_RUNNING", "no process runs on this data");
      shutDown();
      return { pid: process.pid };
    },
  };
}

type Defined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Without the fields that are undefined, so that defaults apply. */
function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<Fields>;
}
