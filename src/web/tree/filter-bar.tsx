/** Above the tree: the filter, what it finds, the subtree that one has zoomed into. */
import { useEffect, useRef, useState } from "react";
import { FILTER_FIELDS } from "../../fleet/filter.ts";
import { pageClock } from "../browser.ts";
import { count, visibleLine } from "../parts/format.ts";
import { Icon } from "../parts/icons.tsx";
import { namesAbove } from "../parts/names.tsx";
import { useLiveQuietly } from "../shell/live.ts";
import { linkTo, type Place } from "../shell/place.ts";
import { go } from "../shell/routes.ts";

/** Typing is not held up by what it finds. */
const SETTLE_MS = 60;

interface Given {
  readonly place: Place;
  readonly complaints: readonly string[];
  readonly matching: number;
  readonly onReset: () => void;
}

export function FilterBar({ place, complaints, matching, onReset }: Given) {
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
  const add = (field: string) => {
    const input = document.querySelector<HTMLInputElement>("#filter");
    setText(
      (before) => `${before.trim()}${before.trim() === "" ? "" : " "}${field}${field.startsWith("is:") ? " " : ""}`,
    );
    input?.focus();
  };
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
      <div className="filter">
        <Icon name="search" size={14} />
        <input
          id="filter"
          className="field"
          type="text"
          autoComplete="off"
          spellCheck={false}
          aria-label="Filter"
          placeholder="Filter: status:failed level>6 cost>2 name:foo"
          aria-invalid={complaints.length > 0}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape" && text !== "") setText("");
            else if (event.key === "Escape" || event.key === "Enter" || event.key === "ArrowDown") {
              event.preventDefault();
              document.querySelector<HTMLElement>("[role=treegrid]")?.focus();
            }
          }}
        />
        {text === "" && <kbd>/</kbd>}
        {text !== "" && (
          <button
            type="button"
            className="button plain square"
            aria-label="Clear the filter"
            onClick={() => setText("")}
          >
            <Icon name="close" size={12} />
          </button>
        )}
      </div>
      <div className="fields">
        {FILTER_FIELDS.map((field) => (
          <button key={field} type="button" className="chip" onClick={() => add(field)}>
            {field}
          </button>
        ))}
      </div>
      <output className="found">
        {complaints.length > 0 ? (
          <span className="complaint">{complaints[0]}</span>
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
