/** The picture over time with the journals behind its scrubber. */
import { type ComponentProps, useMemo } from "react";
import { pageClock } from "../browser.ts";
import { journalPast } from "./journal-past.ts";
import { TimeView } from "./time-view.tsx";

export function FleetOverTime(given: Omit<ComponentProps<typeof TimeView>, "past">) {
  const { fleet } = given;
  const past = useMemo(() => journalPast(fleet, pageClock), [fleet]);
  return <TimeView {...given} past={past} />;
}
