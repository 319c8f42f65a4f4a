/** The tree: as many rows as fit, of any number; ancestors stay in view, healthy subtrees are closed, a filter narrows it. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from "react";
import { at } from "../../fleet/columns.ts";
import { parseFilter } from "../../fleet/filter.ts";
import { areSameRows, ITSELF, type TreeView, visibleRows } from "../../fleet/rows.ts";
import { stickyAncestors } from "../../fleet/sticky.ts";
import { count } from "../parts/format.ts";
import { useKeys } from "../shell/keys.ts";
import { useLive } from "../shell/live.ts";
import type { Place } from "../shell/place.ts";
import { go } from "../shell/routes.ts";
import { useSelection } from "../shell/selection.ts";
import { FilterBar } from "./filter-bar.tsx";
import { useTreeKeys } from "./keys.ts";
import { ROW_HEIGHT, Row, StickyRow } from "./row.tsx";

const OVERSCAN = 6;

export function Tree({ place }: { place: Place }) {
  const { fleet, version } = useLive();
  const { selected, select, open, menu } = useSelection();
  const [opened, setOpened] = useState<ReadonlyMap<number, boolean>>(new Map());
  const scroller = useRef<HTMLDivElement>(null);
  const top = place.top === "" ? -1 : fleet.ordinalOf(place.top);
  const filter = useMemo(() => parseFilter(place.filter), [place.filter]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the fleet changes with its version
  const rows = useMemo(() => {
    const view: TreeView = { top, opened, selected, matches: filter.matches?.(fleet) };
    return visibleRows(fleet, view);
  }, [fleet, version, top, opened, selected, filter]);
  const { marks } = rows;
  const agents = useSame(rows.agents);

  const virtualizer = useVirtualizer({
    count: agents.length,
    getScrollElement: useCallback(() => scroller.current, []),
    estimateSize: rowHeight,
    overscan: OVERSCAN,
  });
  const offset = virtualizer.scrollOffset ?? 0;
  const first = Math.floor(offset / ROW_HEIGHT);
  const sticky = useMemo(() => stickyAncestors(fleet, agents, first, top), [fleet, agents, first, top]);

  useAnchor(scroller, agents);
  const isOpen = (agent: number, index: number): boolean | undefined => {
    if (at(fleet.firstChild, agent) < 0) return undefined;
    const next = agents[index + 1];
    return next !== undefined && at(fleet.parent, next) === agent;
  };
  const toggle = useCallback(
    (agent: number, to?: boolean) => {
      const isNow = document.getElementById(`row-${agent}`)?.getAttribute("aria-expanded") === "true";
      const wanted = to ?? !isNow;
      setOpened((before) => new Map(before).set(agent, wanted));
      // What is selected is always in view: closing the subtree around it selects its top.
      if (!wanted && isBelow(fleet.parent, selected, agent)) select(agent);
    },
    [fleet, selected, select],
  );
  const onToggle = useCallback((agent: number) => toggle(agent), [toggle]);

  useTreeKeys({ fleet, agents, selected, select, toggle, isOpen, open, menu, top, place, scroller });
  useKeys({ "/": () => focusFilter() });
  const scrollTo = virtualizer.scrollToIndex;
  const row = agents.indexOf(selected);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new selection moves the page, not what comes and goes around it
  useLayoutEffect(() => {
    if (row < 0 || !scroller.current) return;
    const { scrollTop, clientHeight } = scroller.current;
    const y = row * ROW_HEIGHT;
    const hidden = 6 * ROW_HEIGHT;
    if (y < scrollTop + hidden || y > scrollTop + clientHeight - 3 * ROW_HEIGHT) scrollTo(row, { align: "center" });
  }, [selected]);

  const base = top >= 0 ? at(fleet.level, top) : 0;
  return (
    <section className="tree" aria-label="Tree">
      <FilterBar place={place} matching={rows.matching} onReset={() => setOpened(new Map())} />
      <div
        ref={scroller}
        className="grid"
        role="treegrid"
        tabIndex={0}
        aria-label="Agents"
        aria-rowcount={agents.length + 1}
        {...(row >= 0 && { "aria-activedescendant": `row-${selected}` })}
        onClick={(event) => clicked(event.target, select)}
        onDoubleClick={(event) => clicked(event.target, open)}
        onKeyDown={() => undefined}
        onContextMenu={(event) => {
          event.preventDefault();
          clicked(event.target, (agent) => {
            select(agent);
            menu(agent, event.target as Element);
          });
        }}
      >
        <Header count={agents.length} />
        {sticky.length > 0 && (
          <div className="sticky-rows" aria-hidden="true">
            <div>
              {sticky.map((agent, index) => (
                <StickyRow
                  key={agent}
                  {...{ fleet, agent, version, base, onToggle }}
                  open={true}
                  selected={false}
                  dim={false}
                  gap={index > 0 && at(fleet.parent, agent) !== sticky[index - 1]}
                />
              ))}
            </div>
          </div>
        )}
        <div className="rows" role="rowgroup" style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, start }) => {
            const agent = agents[index] ?? 0;
            return (
              <Row
                key={agent}
                {...{ fleet, agent, version, base, onToggle, index, start }}
                open={isOpen(agent, index)}
                selected={agent === selected}
                dim={marks !== undefined && ((marks[agent] ?? 0) & ITSELF) === 0}
              />
            );
          })}
        </div>
        {agents.length === 0 && fleet.count > 0 && (
          <div className="empty">
            <h1>No agent matches</h1>
            <p>
              {`of ${count(fleet.count)}. `}
              <button type="button" className="button" onClick={() => go({ ...place, filter: "" })}>
                Show all
              </button>
            </p>
          </div>
        )}
      </div>
    </section>
  );
}

function Header({ count: rows }: { count: number }) {
  return (
    <div className="row head" role="row" aria-rowindex={1} data-rows={rows}>
      <div role="columnheader">Agent</div>
      <div role="columnheader">State</div>
      <div role="columnheader" className="cell-mix-head">
        Subtree
      </div>
      <div role="columnheader" className="figure">
        Cost
      </div>
      <div role="columnheader" className="figure cell-own">
        Own
      </div>
      <div role="columnheader" className="figure cell-burn">
        $ / min
      </div>
      <div role="columnheader" className="figure cell-turns">
        Turns
      </div>
      <div role="columnheader" className="figure">
        Last event
      </div>
    </div>
  );
}

/** Rows that come and go above what one looks at move nothing of it. */
function useAnchor(scroller: React.RefObject<HTMLDivElement | null>, agents: Int32Array): void {
  const before = useRef(agents);
  useLayoutEffect(() => {
    const element = scroller.current;
    const was = before.current;
    before.current = agents;
    if (!element || was === agents || element.scrollTop === 0) return;
    const first = Math.floor(element.scrollTop / ROW_HEIGHT);
    // The first row that is still there.
    for (let index = first; index < Math.min(first + 40, was.length); index++) {
      const now = agents.indexOf(was[index] ?? -1);
      if (now < 0) continue;
      if (now !== index) element.scrollTop += (now - index) * ROW_HEIGHT;
      return;
    }
  }, [agents, scroller]);
}

/** The same list as before while it says the same: what is computed from it is then not computed again. */
function useSame(agents: Int32Array): Int32Array {
  const last = useRef(agents);
  if (!areSameRows(last.current, agents)) last.current = agents;
  return last.current;
}

function rowHeight(): number {
  return ROW_HEIGHT;
}

function clicked(target: EventTarget, then: (agent: number) => void): void {
  const row = target instanceof Element ? target.closest("[data-agent]") : null;
  if (row) then(Number(row.getAttribute("data-agent")));
}

function isBelow(parents: Int32Array, agent: number, top: number): boolean {
  for (let above = agent < 0 ? -1 : at(parents, agent); above >= 0; above = at(parents, above))
    if (above === top) return true;
  return false;
}

function focusFilter(): undefined {
  document.querySelector<HTMLInputElement>("#filter")?.focus();
}
