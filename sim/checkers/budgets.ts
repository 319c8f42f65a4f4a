/**
 * Invariant 5: a subtree never spends more than its budget. In two steps: the journal's books of a subtree, with what is
 * reserved, stay within every budget when a call is started; and no call really costs more than the books say of it.
 */
import type { AgentId } from "../../src/base/ids.ts";
import type { Step } from "../audit.ts";
import type { Call } from "../provider.ts";
import type { Checker, Scene } from "./checker.ts";

/** A budget that was lowered binds the calls that reserve afterwards, and a start takes a while to become durable. */
const GRACE_MS = 12_000;
/** The forest counts in billionths of a dollar. */
const ERROR_USD = 1e-6;

export function budgets({ world, audit, provider, disk }: Scene): Checker {
  /** When a budget was in force until, of each agent. */
  const former = new Map<AgentId, { untilMs: number; costUsd: number }[]>();
  const calls = new Map<AgentId, Call[]>();
  provider.onCall((call) => calls.set(call.agent, [...(calls.get(call.agent) ?? []), call]));

  const inForce = (agent: AgentId, now: number): number => {
    const before = (former.get(agent) ?? []).filter(({ untilMs }) => untilMs > now - GRACE_MS);
    return Math.max(limitOf(audit.head(agent)?.budget), ...before.map(({ costUsd }) => costUsd));
  };

  const checkStart = ({ agent }: Step) => {
    for (const { agent: bound } of audit.path(agent)) {
      const limitUsd = inForce(bound, world.clock.monotonic());
      if (limitUsd === Number.POSITIVE_INFINITY) continue;
      // What an agent spent is in its journal and its summary: where both are damaged nobody knows it any more.
      const known = audit.subtree(bound).filter((head) => !disk.damaged.has(head.agent));
      const usd = known.reduce((sum, { costUsd, reservedUsd }) => sum + costUsd + reservedUsd, 0);
      if (usd > limitUsd + ERROR_USD) {
        world.fail(
          "budgets",
          `a call for ${agent} takes ${bound} to $${usd.toFixed(6)}, over its $${limitUsd.toFixed(6)}`,
        );
      }
    }
  };

  /** What the calls of an agent really cost is at most what the books say: those settled, and the reserve of one in flight. */
  const checkBooks = (agent: AgentId) => {
    const head = audit.head(agent);
    if (!head?.execution.price) return;
    const usd = (calls.get(agent) ?? []).reduce((sum, { costUsd }) => sum + costUsd, 0);
    const books = head.costUsd + head.reservedUsd;
    if (usd > books + ERROR_USD) {
      world.fail("budgets", `the calls of ${agent} cost $${usd.toFixed(6)}, and its books say $${books.toFixed(6)}`);
    }
  };

  audit.onStep((step) => {
    const { event } = step.recorded;
    if (event.type === "budget.set" && step.before) {
      const earlier = former.get(step.agent) ?? [];
      former.set(step.agent, [
        ...earlier,
        { untilMs: world.clock.monotonic(), costUsd: limitOf(step.before.head.budget) },
      ]);
    }
    if (event.type === "turn.started") checkStart(step);
    if (SETTLING.has(event.type)) checkBooks(step.agent);
  });
  provider.onCall(({ agent }) => {
    audit.sync();
    checkBooks(agent);
  });
  return {};
}

const SETTLING: ReadonlySet<string> = new Set([
  "turn.ended",
  "turn.failed",
  "turn.lost",
  "turn.withdrawn",
  "agent.cancelled",
  "agent.failed",
  "agent.rewound",
]);

function limitOf(budget: { readonly costUsd?: number | undefined } | null | undefined): number {
  return budget?.costUsd ?? Number.POSITIVE_INFINITY;
}
