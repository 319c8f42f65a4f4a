/** The operations that only read. Answers of many items come in batches, so that little is in memory at a time. */
import { tenantOf } from "../agent/head.ts";
import { BanyanError } from "../base/errors.ts";
import { presentIsOver } from "../base/event-loop.ts";
import type { AgentId } from "../base/ids.ts";
import { checkArchived, listArchived } from "../runtime/archive.ts";
import { capacityOf } from "../runtime/capacity.ts";
import { loggedEvents } from "../runtime/events.ts";
import type { Runtime } from "../runtime/open.ts";
import { artifactBytes, artifactRows, artifactVersions } from "./artifacts.ts";
import { checkpointDetailOf } from "./checkpoints.ts";
import type { AgentDetail } from "./contract/agent.ts";
import { costReport } from "./cost.ts";
import type { ReadHandlers } from "./handlers.ts";
import { changesIn, momentAt } from "./history.ts";
import { fleetFeedOf, fleetFrames } from "./live/fleet-feed.ts";
import { overviewOf } from "./overview.ts";
import { processesOf, processRows } from "./processes.ts";
import { RecentAnswers } from "./recent.ts";
import { rowOf, treeRows } from "./rows.ts";
import { pathOf, selectAgent } from "./select.ts";
import { statsOf } from "./stats.ts";
import { transcript } from "./transcript.ts";

/** `live`: this process has the data open for work; otherwise there is nothing new to follow. */
export function readHandlers(runtime: Runtime, { live }: { live: boolean }): ReadHandlers {
  const { coordinator } = runtime;
  const { forest } = coordinator;
  const recent = recentOf(runtime);
  const select = (selector: string) => selectAgent(forest, selector);
  const selectAny = (selector: string | undefined) => (selector === undefined ? undefined : select(selector));

  return {
    tree: ({ agent }) => lazily(() => batches(treeRows(forest, selectAny(agent)))),
    fleet: ({ follow = false }, signal) => fleetFrames(fleetFeedOf(runtime), { follow: follow && live, signal }),
    overview: async ({ agent, lines }) => {
      const position = await runtime.services.journal.position();
      return overviewOf(forest, { agent: selectAny(agent), lines, position, pool: coordinator.pool, recent });
    },
    agent: async ({ agent }) => detailOf(runtime, select(agent)),
    logs: ({ agent, subtree = false, from, follow = false }, signal) =>
      lazily(() =>
        loggedEvents(runtime, { agent: selectAny(agent), subtree, after: from, follow: follow && live, signal }),
      ),
    async *messages({ agent, at }) {
      const { entries } = await coordinator.state(select(agent), at);
      yield* batches(transcript(entries));
    },
    async *checkpoints({ agent }) {
      yield* batches(await coordinator.checkpoints.list(select(agent)));
    },
    showCheckpoint: async ({ agent, checkpoint }) => checkpointDetailOf(runtime, select(agent), checkpoint),
    diffCheckpoints: async ({ agent, from, to }) => coordinator.checkpoints.diff(select(agent), from, to),
    artifacts: ({ agent, subtree = false }) =>
      lazily(() => batches(artifactRows(runtime, selectAny(agent), { subtree }))),
    artifactVersions: ({ agent, name }) => lazily(() => artifactVersions(runtime, selectAny(agent), name)),
    artifact: ({ agent, ...wanted }) => lazily(() => artifactBytes(runtime, selectAny(agent), wanted)),
    processes: ({ agent, subtree = false, ended = false }) =>
      lazily(() => processRows(runtime, selectAny(agent), { subtree, ended })),
    async *archived() {
      const rows = listArchived(runtime).map((row) => ({
        ...row,
        path: forest.get(row.root) ? pathOf(forest, row.root) : "",
      }));
      yield* batches(rows);
    },
    async checkArchived(_input, signal) {
      const found = await checkArchived(runtime, signal);
      return { ...found, unsound: [...found.unsound] };
    },
    async capacity(_input, signal) {
      const found = await capacityOf(runtime, signal);
      return {
        ...found,
        days: [...found.days],
        trees: found.trees.map((tree) => ({ ...tree, path: forest.get(tree.root) ? pathOf(forest, tree.root) : "" })),
      };
    },
    async cost({ agent, by = "agent" }) {
      const top = selectAny(agent);
      const agents = (top === undefined ? undefined : forest.get(top)?.subtree.agents) ?? forest.size;
      return recent.get(`cost ${top ?? ""} ${by}`, agents, () => costReport(forest, top, by));
    },
    async *faults({ agent }) {
      const wanted = selectAny(agent);
      yield* batches(runtime.faults.read().filter((each) => wanted === undefined || each.agent === wanted));
    },
    history: ({ agents }) => changesIn(runtime.history, agents),
    moment: ({ at }) => momentAt(runtime.history, at),
    stats: () => statsOf(runtime, live, recent),
  };
}

const answers = new WeakMap<Runtime, RecentAnswers>();

/** Those of a runtime, whoever asks. */
export function recentOf(runtime: Runtime): RecentAnswers {
  const known = answers.get(runtime) ?? new RecentAnswers(runtime.services.clock);
  answers.set(runtime, known);
  return known;
}

/** Refusals come when the stream is read, as they do from far away. */
async function* lazily<Batch>(begin: () => AsyncIterable<Batch>): AsyncGenerator<Batch> {
  yield* begin();
}

/** Items at a time; few, for an item may be large. */
const BATCH_ITEMS = 256;

/** Between two batches everything else has its turn, so that a large tree holds up nobody. */
async function* batches<Item>(items: Iterable<Item>): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < BATCH_ITEMS) continue;
    yield batch;
    batch = [];
    await presentIsOver();
  }
  if (batch.length > 0) yield batch;
}

async function detailOf(runtime: Runtime, agent: AgentId): Promise<AgentDetail> {
  const { coordinator } = runtime;
  const { forest } = coordinator;
  const { inbox, checkpoints, open } = await coordinator.state(agent);
  const node = forest.get(agent);
  if (!node) throw new BanyanError("AGENT_NOT_FOUND", `no agent ${agent}`, { agent });
  const { mode, execution, rights, budget, origin, output, artifacts } = node.head;
  const holder = forest.holder(agent);
  return {
    ...rowOf(node, holder !== undefined),
    path: pathOf(forest, agent),
    mode,
    execution,
    rights,
    tenant: tenantOf(node.head),
    budget,
    heldBy: holder?.head.agent ?? null,
    origin,
    output,
    made: [...artifacts],
    children: node.children.map((child) => child.head.agent),
    unread: inbox.length,
    checkpoints: checkpoints.map(({ name, at, time, pinned = false }) => ({ name, seq: at, time, pinned })),
    asks: open
      .filter(({ state }) => state === "approval")
      .map(({ call }) => ({ callId: call.callId, tool: call.name })),
    processes: await processesOf(runtime, agent),
    archives: listArchived(runtime, node.head.root).map(({ root: _, bodyBytes: __, ...archive }) => archive),
  };
}
