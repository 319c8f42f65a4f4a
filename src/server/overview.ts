/**
 * The overview: rows for the lines of a screen and no others, so that a tree of a hundred thousand is shown as soon as one of ten. Only
 * the counts by status look at every agent, some thousands at a time.
 */
import type { Forest } from "../agent/forest.ts";
import type { Node } from "../agent/forest-node.ts";
import { type Status, shownStatus } from "../agent/status.ts";
import { addUsage, NO_USAGE } from "../agent/usage.ts";
import type { AgentId } from "../base/ids.ts";
import type { Overview, OverviewLine, Total } from "./contract/overview.ts";
import type { PoolHealth } from "./contract/pool.ts";
import type { RecentAnswers } from "./recent.ts";
import { restOf } from "./rest.ts";
import { rowOf } from "./rows.ts";
import { seeAll } from "./see-all.ts";
import { shownLines, type Twig } from "./shown-lines.ts";

export interface OverviewWanted {
  readonly agent: AgentId | undefined;
  readonly lines: number;
  readonly position: number;
  readonly pool?: PoolHealth;
  /** Where counts of a large fleet are taken from. */
  readonly recent?: RecentAnswers;
}

export async function overviewOf(
  forest: Forest,
  { agent, lines, position, pool, recent }: OverviewWanted,
): Promise<Overview> {
  const top = agent === undefined ? undefined : forest.get(agent);
  const tops = top ? [top] : forest.roots();
  const count = () => countsOf(forest, tops);
  const agents = tops.reduce((sum, { subtree }) => sum + subtree.agents, 0);
  const counts = await (recent ? recent.get(`counts ${agent ?? ""}`, agents, count) : count());
  const total = totalOf(tops, counts);
  // From here on in one go, so that the lines fit each other.
  const shown = shownLines(
    tops.map((node) => new NodeTwig(node)),
    lines,
  );
  return { position, lines: shown.map((line) => lineOf(forest, line)), total, pool: pool ? shownPool(pool) : null };
}

function shownPool({ ready, target, claimed, parked, waiting }: PoolHealth): Overview["pool"] {
  return ready + target + claimed + parked + waiting === 0 ? null : { ready, target, claimed, parked, waiting };
}

/** A node as the choice sees it; those below are wrapped when they are looked at. */
class NodeTwig implements Twig {
  readonly node: Node;

  constructor(node: Node) {
    this.node = node;
  }

  get children(): readonly NodeTwig[] {
    return this.node.children.map((child) => new NodeTwig(child));
  }

  get lives(): boolean {
    return this.node.subtree.live > 0;
  }

  get failed(): boolean {
    return this.node.head.status === "failed";
  }
}

function lineOf(forest: Forest, line: ReturnType<typeof shownLines<NodeTwig>>[number]): OverviewLine {
  const guides = [...line.guides];
  if (line.kind === "agent") {
    const { node } = line.item;
    return {
      kind: "agent",
      row: rowOf(node, forest.holder(node.head.agent) !== undefined),
      closed: line.closed,
      guides,
    };
  }
  const siblings = line.items.map(({ node }): [Status, number] => [
    forest.status(node.head.agent),
    node.subtree.agents,
  ]);
  return { kind: "rest", ...restOf(siblings), guides };
}

type Counts = Pick<Total, "byStatus" | "levels">;

async function countsOf(forest: Forest, tops: readonly Node[]): Promise<Counts> {
  const byStatus: Total["byStatus"] = {};
  let levels = 0;
  await seeAll(forest, tops, ({ head }, covered) => {
    const status = shownStatus(head.status, covered);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
    levels = Math.max(levels, head.level + 1);
  });
  return { byStatus, levels };
}

function totalOf(tops: readonly Node[], counts: Counts): Total {
  const sum = (of: (node: Node) => number) => tops.reduce((all, node) => all + of(node), 0);
  return {
    agents: sum(({ subtree }) => subtree.agents),
    live: sum(({ subtree }) => subtree.live),
    costUsd: sum(({ subtree }) => subtree.costUsd),
    usage: tops.reduce((all, { subtree }) => addUsage(all, subtree.usage), NO_USAGE),
    ...counts,
  };
}
