/** Whether what the pool kept can still be used. What fails to say so in time cannot. */
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Session, Warm } from "../../drivers/driver.ts";

export async function isHealthy(clock: Clock, kept: Session | Warm): Promise<boolean> {
  try {
    const said = kept.healthy?.() ?? true;
    if (typeof said === "boolean") return said;
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = clock.timer(LIMITS.poolHealthMsMax, () => resolve(false));
    try {
      return await Promise.race([said, late]);
    } finally {
      timer.cancel();
    }
  } catch {
    return false;
  }
}
