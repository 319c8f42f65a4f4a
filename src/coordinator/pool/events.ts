/**
 * What happens in the pool, for whoever watches this process: live views, metrics, logs. Told in the process and not journaled: they
 * belong to no agent, nothing is folded from them, and none is owed after a crash (docs/decisions/pool.md).
 */
import type { AgentId } from "../../base/ids.ts";
import type { Eviction } from "./member.ts";

/** How a claim was met: by the agent's own session, by a ready one, by one that had to be waited for, by a cold one. */
export type ClaimedFrom = "parked" | "ready" | "waited" | "cold";

export type PoolHappening =
  | { readonly type: "warming" }
  | { readonly type: "ready"; readonly tookMs: number }
  | { readonly type: "warmFailed"; readonly message: string }
  | { readonly type: "waiting"; readonly agent: AgentId }
  | { readonly type: "claimed"; readonly agent: AgentId; readonly from: ClaimedFrom; readonly waitMs: number }
  /** A cold session that was claimed has started: the wait is over now, and not when it was claimed. */
  | { readonly type: "started"; readonly agent: AgentId; readonly waitMs: number }
  | { readonly type: "exhausted"; readonly agent: AgentId; readonly waitMs: number }
  | { readonly type: "parked"; readonly agent: AgentId }
  | { readonly type: "target"; readonly from: number; readonly to: number; readonly isPanic: boolean }
  | { readonly type: "evicted"; readonly why: Eviction; readonly message?: string };

export type PoolEvent = PoolHappening & {
  readonly tenant: string;
  readonly profile: string;
  /** The process's monotonic clock. */
  readonly atMs: number;
};
export type PoolWatcher = (event: PoolEvent) => void;

/** How long a claim waited, from asking to a session that has started or to the refusal, where the event is its end. */
export function claimWaitMsOf(event: PoolHappening): number | undefined {
  if (event.type === "claimed") return event.from === "cold" ? undefined : event.waitMs;
  return event.type === "started" || event.type === "exhausted" ? event.waitMs : undefined;
}
