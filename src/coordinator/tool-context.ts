/**
 * What a tool is given: its agent's own artifacts and tree, and nothing else.
 */
import type { ToolCall } from "../agent/content.ts";
import type { ArtifactReference, Execution, Sender } from "../agent/events.ts";
import { NAME_SYNTAX } from "../agent/events.ts";
import type { Node } from "../agent/forest-node.ts";
import type { State } from "../agent/state.ts";
import { callKey } from "../agent/waits.ts";
import type { ArtifactQuota } from "../artifacts/quota.ts";
import { BanyanError } from "../base/errors.ts";
import { type AgentId, isId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { isDigest } from "../blobs/blobs.ts";
import type { AgentAccess, ArtifactAccess, SpawnRequest } from "../tools/tool.ts";
import type { Cell } from "./cell.ts";
import type { Control } from "./control.ts";
import type { Processes } from "./processes.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";
import type { Spawning } from "./spawn.ts";
import type { ToolContextFor } from "./workplace.ts";

interface Reach {
  readonly services: Services;
  readonly roster: Roster;
  readonly spawning: Spawning;
  readonly control: () => Control;
  readonly processes: Processes;
  readonly quota: ArtifactQuota;
}

export function toolContexts(reach: Reach): ToolContextFor {
  return (cell, call, signal) => ({
    agent: cell.agent,
    callId: call.callId,
    rights: cell.head.rights,
    hidden: reach.services.hidden,
    signal,
    clock: reach.services.clock,
    artifacts: artifactAccess(reach, cell, call),
    agents: agentAccess(reach, cell, call, signal),
    processes: reach.processes.access(cell, call.callId),
  });
}

function artifactAccess({ services, roster, quota }: Reach, cell: Cell, call: ToolCall): ArtifactAccess {
  const { forest } = roster;
  return {
    async write(name, bytes, mediaType) {
      if (name.length > LIMITS.nameLengthMax || !NAME_SYNTAX.test(name)) {
        throw new BanyanError("NAME_INVALID", `not a name: ${JSON.stringify(name.slice(0, 80))}`, {
          agent: cell.agent,
        });
      }
      return quota.within(cell.agent, name, bytes, async () => {
        const stored = await services.blobs.put(bytes);
        const artifact: ArtifactReference = { name, ...stored, mediaType };
        await cell.dispatch({ do: "writeArtifact", artifact, callId: call.callId });
        return artifact;
      });
    },
    find(name, agent) {
      const node = agent === undefined ? nodeOf(roster, cell.agent) : resolve(roster, cell.agent, agent);
      const found = node.head.artifacts.find((artifact) => artifact.name === name);
      if (found) return found;
      throw new BanyanError("ARTIFACT_NOT_FOUND", `${node.head.name} has no artifact ${JSON.stringify(name)}`, {
        agent: cell.agent,
      });
    },
    list() {
      const found: { path: string; artifact: ArtifactReference }[] = [];
      for (const node of forest.subtree(cell.agent)) {
        const path = pathBetween(cell.agent, node);
        for (const artifact of node.head.artifacts) found.push({ path, artifact });
      }
      return found;
    },
    read(digest, range) {
      if (!isDigest(digest)) throw new BanyanError("INPUT_INVALID", "not a digest", { agent: cell.agent });
      return services.blobs.get(digest, range);
    },
  };
}

function agentAccess(
  { services, roster, spawning, control }: Reach,
  cell: Cell,
  call: ToolCall,
  signal: AbortSignal,
): AgentAccess {
  return {
    async spawn(request) {
      if (!cell.head.rights.spawn)
        throw new BanyanError("COMMAND_REFUSED", "this agent may not spawn", { agent: cell.agent });
      const state = await cell.load();
      const spec = await childSpec(services, state, request);
      const { name } = await spawning.child(cell.agent, spec, { key: callKey(state, call.callId), signal });
      return { name };
    },
    async send(to, text) {
      const receiver = resolve(roster, cell.agent, to);
      const state = await cell.load();
      const from: Sender = { kind: "agent", id: cell.agent, name: nameFor(roster, cell.agent, receiver) };
      await control().send(receiver.head.agent, text, { by: from, id: `${cell.agent}.${callKey(state, call.callId)}` });
    },
    children() {
      return nodeOf(roster, cell.agent).children.map(({ head }) => ({
        name: head.name,
        status: roster.forest.status(head.agent),
        activity: head.activity,
      }));
    },
  };
}

async function childSpec(services: Services, state: State, request: SpawnRequest) {
  const { head } = state;
  const missing = request.tools?.find((name) => !state.tools.includes(name));
  if (missing !== undefined)
    throw new BanyanError("TOOL_UNKNOWN", `you have no tool ${JSON.stringify(missing)} to pass on`, {
      agent: head.agent,
    });
  return {
    name: request.name,
    execution: executionOf(head, request),
    instructions: request.instructions ?? (await services.contents.fetch(state.instructions)),
    messages: [{ from: { kind: "agent", id: head.agent } satisfies Sender, text: request.task }],
    tools: request.tools ?? state.tools,
    rights: head.rights,
    ...(request.budgetUsd !== undefined && { budget: { costUsd: request.budgetUsd } }),
  };
}

/** T1: of the session's own tools a subagent has no other than its parent. */
function executionOf({ execution }: State["head"], { subagent }: SpawnRequest): Execution {
  if (!subagent) {
    const { subagent: _, ...own } = execution;
    return own;
  }
  const ownTools = subagent.ownTools.filter((tool) => execution.ownTools?.includes(tool));
  return { ...execution, ownTools, subagent: subagent.type };
}

function nodeOf(roster: Roster, agent: AgentId): Node {
  const node = roster.forest.get(agent);
  if (!node) throw new BanyanError("AGENT_NOT_FOUND", `no agent ${agent}`, { agent });
  return node;
}

/** `parent`, a child's name, a sibling's name, a path of names from the root, or an id: within the tree of `agent` only. */
function resolve(roster: Roster, agent: AgentId, to: string): Node {
  const own = nodeOf(roster, agent);
  const found =
    to === "parent"
      ? own.parent
      : to.startsWith("/")
        ? byPath(nodeOf(roster, own.head.root), to)
        : isId(to)
          ? inTree(roster.forest.get(to), own)
          : (named(own, to) ?? (own.parent && named(own.parent, to)));
  if (found) return found;
  throw new BanyanError("AGENT_NOT_FOUND", `no agent ${JSON.stringify(to.slice(0, 200))} in this tree`, { agent });
}

function inTree(node: Node | undefined, own: Node): Node | undefined {
  return node?.head.root === own.head.root ? node : undefined;
}

function named({ children }: Node, name: string): Node | undefined {
  return children.find(({ head }) => head.name === name);
}

function byPath(root: Node, path: string): Node | undefined {
  const [first, ...rest] = path.slice(1).split("/");
  if (first !== root.head.name) return undefined;
  let node: Node | undefined = root;
  for (const name of rest) node = node && named(node, name);
  return node;
}

/** How the receiver is to know the sender: what it would write in `to`. */
function nameFor(roster: Roster, sender: AgentId, receiver: Node): string {
  const own = nodeOf(roster, sender);
  if (own.parent === receiver) return own.head.name;
  if (receiver.parent === own) return "parent";
  return `/${[...roster.forest.path(sender)]
    .map(({ head }) => head.name)
    .reverse()
    .join("/")}`;
}

function pathBetween(from: AgentId, node: Node): string {
  const names: string[] = [];
  for (let each: Node | undefined = node; each && each.head.agent !== from; each = each.parent)
    names.unshift(each.head.name);
  return names.join("/");
}
