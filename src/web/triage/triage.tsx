/** The first page: what needs a person, the worst first, each with the one action that helps; beside it the fleet as a whole. */
import { useEffect, useMemo } from "react";
import { type Trouble, triage } from "../../fleet/triage.ts";
import { plural } from "../parts/format.ts";
import { useKeys } from "../shell/keys.ts";
import { useLive } from "../shell/live.ts";
import type { Place } from "../shell/place.ts";
import { useSelection } from "../shell/selection.ts";
import { AtAGlance } from "./at-a-glance.tsx";
import { TroubleRow } from "./trouble-row.tsx";

/** More than a person looks through; the rest is counted. */
const SHOWN_MAX = 60;

export function Triage({ place }: { place: Place }) {
  const { fleet, version } = useLive();
  const { selected, select, open } = useSelection();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the fleet changes with its version
  const { troubles, urgent, left } = useMemo(() => triage(fleet, SHOWN_MAX), [fleet, version]);
  const here = troubles.findIndex(({ agent }) => agent === selected);
  // The worst is chosen until a person chooses: Enter opens it.
  const chosen = troubles[Math.max(0, here)]?.agent ?? -1;
  const step = (by: number) => () => {
    const to = troubles[Math.max(0, Math.min(troubles.length - 1, here + by))];
    if (to) select(to.agent);
    return undefined;
  };
  const act = () => {
    if (chosen < 0) return false;
    open(chosen);
    return undefined;
  };
  useKeys({ j: step(1), k: step(-1), ArrowDown: step(1), ArrowUp: step(-1), Enter: act, l: act });
  // What the keys p, x, f and . are about is what is highlighted.
  useEffect(() => {
    if (selected < 0 && chosen >= 0) select(chosen);
  }, [selected, chosen, select]);
  useEffect(() => {
    if (selected < 0) return;
    document.querySelector(`.trouble-row[data-agent="${selected}"]`)?.scrollIntoView({ block: "nearest" });
  }, [selected]);

  const section = (title: string, says: string, some: readonly Trouble[]) =>
    some.length > 0 && (
      <section aria-label={title}>
        <h2>
          {title}
          <span className="quiet">{says}</span>
        </h2>
        <ul>
          {some.map((trouble) => (
            <TroubleRow key={trouble.agent} fleet={fleet} trouble={trouble} chosen={trouble.agent === chosen} />
          ))}
        </ul>
      </section>
    );
  return (
    <div className="triage">
      <div className="troubles">
        <header>
          <h1>{urgent === 0 ? "Nothing needs you now" : plural(urgent, "agent needs you", "agents need you")}</h1>
          <p className="quiet">
            <kbd>j</kbd> <kbd>k</kbd> choose <kbd>Enter</kbd> open <kbd>.</kbd> act <kbd>?</kbd> keys
          </p>
        </header>
        {section(
          "Needs a person now",
          "",
          troubles.filter((trouble) => trouble.urgent),
        )}
        {section(
          "Worth a look",
          "goes on without you",
          troubles.filter((trouble) => !trouble.urgent),
        )}
        {left > 0 && (
          <p className="quiet left">{`and ${plural(left, "more agent")}: the filter is:problem in the tree has all.`}</p>
        )}
        {troubles.length === 0 && (
          <div className="well">
            <p>No agent has failed, stalled, waits for approval or is about to spend its budget.</p>
          </div>
        )}
      </div>
      {place.agent === "" && <AtAGlance />}
    </div>
  );
}
