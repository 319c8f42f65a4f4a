/**
 * A provider's limit is kept: a process that was told of it makes no call beyond it. Not counted are calls beside those of another process
 * (no two know of each other's), and calls that may have been let go before the limit was known.
 */
import type { Life } from "../life.ts";
import type { Checker, Scene } from "./checker.ts";

/** Older calls have flowed back, and what was let go before has gone. */
const PAST_MS = 60_000;

export function allowances({ world, provider }: Scene): Checker {
  const lastCallMs = new Map<Life, number>();
  provider.onCall(({ agent, life, isOverLimit }) => {
    const nowMs = world.clock.monotonic();
    lastCallMs.set(life, nowMs);
    const toldMs = provider.toldMs(life);
    if (!isOverLimit || toldMs === undefined || nowMs - toldMs < PAST_MS) return;
    const isAlone = [...lastCallMs].every(([other, atMs]) => other === life || nowMs - atMs > PAST_MS);
    if (isAlone)
      world.fail("allowances", `a call for ${agent} exceeds the limit that process ${life.number} was told of`);
  });
  return {};
}
