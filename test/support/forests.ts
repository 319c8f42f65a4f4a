/** Forests for tests, and a naive model of them: every question is answered by looking at all agents. */
import fc from "fast-check";
import { expect } from "vitest";
import { Forest } from "../../src/agent/forest.ts";
import { startHead } from "../../src/agent/head.ts";
import type { Head } from "../../src/agent/state.ts";
import { hasEnded } from "../../src/agent/status.ts";
import type { Sums } from "../../src/agent/sums.ts";
import { addUsage, NO_USAGE } from "../../src/agent/usage.ts";
import { creation, idOf, START_MS } from "./commands.ts";

/** The head of agent `number`, a child of `parent` if there is one, as it is when it was just created. */
export function headOf(number: number, parent?: Head, more: Partial<Head> = {}): Head {
  const { do: _, ...fields } = creation();
  const agent = idOf(number);
  const event = {
    ...fields,
    type: "agent.created" as const,
    parent: parent?.agent ?? null,
    root: parent?.root ?? agent,
    level: parent ? parent.level + 1 : 0,
    name: `agent-${number}`,
  };
  return { ...startHead(agent, event, { seq: 1, time: START_MS, event }), ...more };
}

/** A forest of these parents: agent `i` is a child of agent `parents[i]`, or a root where that is `i` itself. */
export function grow(
  parents: readonly number[],
  more: (index: number) => Partial<Head> = () => ({}),
): { forest: Forest; heads: Head[] } {
  const forest = new Forest();
  const heads: Head[] = [];
  parents.forEach((parent, index) => {
    heads.push(headOf(index, parent === index ? undefined : heads[parent], more(index)));
    forest.put(heads[index] as Head);
  });
  return { forest, heads };
}

/** Parents of up to so many agents, most of them children of recent ones, so that trees get deep. */
export const trees = fc
  .array(fc.record({ any: fc.nat(), root: fc.nat(9) }), { minLength: 1, maxLength: 40 })
  .map((chances) => chances.map(({ any, root }, i) => (i === 0 || root === 0 ? i : any % 3 === 0 ? any % i : i - 1)));

/** True for the agent itself and all below it. */
export function isBelow(heads: readonly Head[], agent: Head, top: Head): boolean {
  for (let each: Head | undefined = agent; each; ) {
    if (each.agent === top.agent) return true;
    const { parent }: Head = each;
    each = heads.find((other) => other.agent === parent);
  }
  return false;
}

/** The sums of a subtree; `reserved` is what is reserved for calls that have not started. */
export function sumOf(heads: readonly Head[], reserved: ReadonlyMap<string, number>, top: Head): Sums {
  const all = heads.filter((head) => isBelow(heads, head, top));
  const add = (of: (head: Head) => number) => all.reduce((sum, head) => sum + of(head), 0);
  return {
    agents: all.length,
    live: all.filter(({ status }) => !hasEnded(status)).length,
    turns: add(({ turns }) => turns),
    usage: all.reduce((sum, { usage }) => addUsage(sum, usage), NO_USAGE),
    costUsd: add(({ costUsd }) => costUsd),
    estimatedUsd: add(({ estimatedUsd }) => estimatedUsd),
    reservedUsd: add(({ agent, reservedUsd }) => reserved.get(agent) ?? reservedUsd),
  };
}

/** The same sums, but for the last places of doubles. */
export const near = ({ costUsd, estimatedUsd, reservedUsd, ...rest }: Sums) => ({
  ...rest,
  costUsd: expect.closeTo(costUsd, 6),
  estimatedUsd: expect.closeTo(estimatedUsd, 6),
  reservedUsd: expect.closeTo(reservedUsd, 6),
});
