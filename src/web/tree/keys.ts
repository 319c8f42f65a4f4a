/** The tree by keys: up and down, in and out, open and close, zoom. */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { useKeys } from "../shell/keys.ts";
import type { Place } from "../shell/place.ts";
import { go } from "../shell/routes.ts";
import { ROW_HEIGHT } from "./row.tsx";

interface Given {
  readonly fleet: Fleet;
  readonly agents: Int32Array;
  readonly selected: number;
  readonly select: (agent: number) => void;
  readonly toggle: (agent: number, to?: boolean) => void;
  readonly isOpen: (agent: number, index: number) => boolean | undefined;
  readonly open: (agent: number) => void;
  readonly menu: (agent: number, at: Element | null) => void;
  readonly top: number;
  readonly place: Place;
  readonly scroller: React.RefObject<HTMLDivElement | null>;
}

export function useTreeKeys({
  fleet,
  agents,
  selected,
  select,
  toggle,
  isOpen,
  open,
  top,
  place,
  scroller,
}: Given): void {
  const here = agents.indexOf(selected);
  const step = (by: number) => () => {
    if (agents.length === 0) return undefined;
    const from = here < 0 ? (by > 0 ? -1 : agents.length) : here;
    select(agents[Math.max(0, Math.min(agents.length - 1, from + by))] ?? -1);
    return undefined;
  };
  const page = () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
  const inwards = () => {
    const isNow = here < 0 ? undefined : isOpen(selected, here);
    if (isNow === false) toggle(selected, true);
    else if (isNow === true) select(at(fleet.firstChild, selected));
    return undefined;
  };
  const outwards = () => {
    const isNow = here < 0 ? undefined : isOpen(selected, here);
    const parent = here < 0 ? -1 : at(fleet.parent, selected);
    if (isNow === true) toggle(selected, false);
    else if (parent >= 0 && selected !== top) select(parent);
    return undefined;
  };
  const zoom = () => {
    const id = fleet.id[selected];
    if (id === undefined) return undefined;
    // A second time at the same place leads out again.
    go({ ...place, top: place.top === id ? "" : id });
    return undefined;
  };
  useKeys({
    j: step(1),
    k: step(-1),
    ArrowDown: step(1),
    ArrowUp: step(-1),
    PageDown: () => step(page())(),
    PageUp: () => step(-page())(),
    Home: () => step(-agents.length)(),
    End: () => step(agents.length)(),
    g: () => step(-agents.length)(),
    G: () => step(agents.length)(),
    l: inwards,
    ArrowRight: inwards,
    h: outwards,
    ArrowLeft: outwards,
    z: zoom,
    Enter: () => {
      if (selected < 0) return false;
      open(selected);
      return undefined;
    },
    Escape: () => {
      if (place.agent !== "" || place.top === "") return false;
      go({ ...place, top: "" });
      return undefined;
    },
  });
}
