/** Above the tree: the filter, what it finds, the subtree that one has zoomed into. */
import { useEffect, useMemo, useRef, useState } from "react";
import { parseFilter } from "../../fleet/filter.ts";
import { pageClock } from "../browser.ts";
import { count, visibleLine } from "../parts/format.ts";
import { namesAbove } from "../parts/names.tsx";
import { useLiveQuietly } from "../shell/live.ts";
import { linkTo, type Place } from "../shell/place.ts";
import { go } from "../shell/routes.ts";
import { FilterField } from "./filter-field.tsx";

/** Typing is not held up by what it finds. */
const SETTLE_MS = 60;

interface Given {
  readonly place: Place;
  readonly matching: number;
  readonly onReset: () => void;
}

export function FilterBar({ place, matching, onReset }: Given) {
  const { fleet } = useLiveQuietly();
  const [text, setText] = useState(place.filter);
  const typed = useRef(place.filter);
  useEffect(() => {
    // Someone else changed it: a link, or a way back.
    if (place.filter !== typed.current) {
      typed.current = place.filter;
      setText(place.filter);
    }
  }, [place.filter]);
  useEffect(() => {
    if (text === typed.current) return;
    const timer = pageClock.timer(SETTLE_MS, () => {
      typed.current = text;
      go({ ...place, filter: text }, { keep: true });
    });
    return () => timer.cancel();
  }, [text, place]);
  const { complaints } = useMemo(() => parseFilter(text), [text]);
  const top = place.top === "" ? -1 : fleet.ordinalOf(place.top);
  return (
    <header className="filter-bar">
      {top >= 0 && (
        <nav className="zoomed" aria-label="Zoomed into">
          <a href={linkTo({ ...place, top: "" })}>all</a>
          {[...namesAbove(fleet, top), { agent: top, name: visibleLine(fleet.name[top] ?? "") }].map(
            ({ agent, name }) => (
              <span key={agent}>
                <i aria-hidden="true">/</i>
                <a
                  href={linkTo({ ...place, top: fleet.id[agent] ?? "" })}
                  {...(agent === top && { "aria-current": "true" })}
                >
                  <bdi>{name}</bdi>
                </a>
              </span>
            ),
          )}
        </nav>
      )}
      <FilterField text={text} fleet={fleet} complaints={complaints} onText={setText} />
      <output className="found" id="found">
        {complaints.length > 0 ? (
          <span className="complaint">{complaints[0]?.says}</span>
        ) : place.filter === "" ? (
          `${count(fleet.count)} agents`
        ) : (
          `${count(matching)} of ${count(fleet.count)}`
        )}
      </output>
      <button type="button" className="button plain" title="Only subtrees with a problem stay open" onClick={onReset}>
        Close healthy
      </button>
    </header>
  );
}
