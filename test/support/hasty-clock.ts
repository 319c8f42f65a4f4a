/** Time that moves by hand, but timers that are due at once: work that gives way to others is not waited for. */
import { ManualClock, systemClock } from "../../src/base/clock.ts";

export class HastyClock extends ManualClock {
  override timer(_delayMs: number, fire: () => void) {
    return systemClock().timer(0, fire);
  }
}
