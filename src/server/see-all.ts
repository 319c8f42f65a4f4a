/** Looking at every agent of large trees without holding up the others: some thousands at a time. */
import type { Forest } from "../agent/forest.ts";
import type { Node } from "../agent/forest-node.ts";
import { presentIsOver } from "../base/event-loop.ts";

/** Agents that are looked at before others have their turn. */
export const SEEN_AT_ONCE = 4_096;

/**
 * Calls `see` with every agent at or below the tops, parents before children, and whether a hold covers it. Others have their turn in
 * between: what they change of those not seen yet is seen.
 */
export async function seeAll(
  forest: Forest,
  tops: readonly Node[],
  see: (node: Node, covered: boolean) => void,
): Promise<void> {
  const isCovered = (node: Node) => forest.holder(node.head.agent) !== undefined;
  const stack = tops.map((node) => ({ node, covered: isCovered(node) })).reverse();
  let seen = 0;
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { node, covered } = next;
    see(node, covered);
    for (let at = node.children.length - 1; at >= 0; at--) {
      const child = node.children[at] as Node;
      stack.push({ node: child, covered: covered || child.head.held });
    }
    seen += 1;
    if (seen % SEEN_AT_ONCE === 0) await presentIsOver();
  }
}
