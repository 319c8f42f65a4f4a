/** One driver over several: each agent's execution names its own. */
import type { Execution } from "../agent/events.ts";
import type { Driver } from "./driver.ts";

export function routed(drivers: Readonly<Record<Execution["driver"], Driver>>): Driver {
  return {
    open: (state, options) => drivers[state.head.execution.driver].open(state, options),
    profile: (state) => drivers[state.head.execution.driver].profile?.(state),
    missing: (execution) => drivers[execution.driver].missing(execution),
  };
}
