/** The address of the browser as a place in the dashboard. */
import { useMemo, useSyncExternalStore } from "react";
import { linkTo, type Place, placeOf } from "./place.ts";

/** Goes there; without `keep` the browser's way back leads here. */
export function go(place: Partial<Place>, { keep = false }: { keep?: boolean } = {}): void {
  const link = linkTo(place);
  if (link === window.location.hash) return;
  if (keep) window.history.replaceState(null, "", link);
  else window.history.pushState(null, "", link);
  for (const listener of listeners) listener();
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("hashchange", listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("hashchange", listener);
    window.removeEventListener("popstate", listener);
  };
}

export function usePlace(): Place {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => placeOf(hash), [hash]);
}
