/** Keys: each component says what its keys do; the newest one that knows a key has it. Nothing is taken from a field or a dialog. */
import { useEffect, useRef } from "react";

/** By `KeyboardEvent.key`. True, or nothing, when it was taken; false lets the others have it. */
export type KeyMap = Readonly<Record<string, (event: KeyboardEvent) => boolean | undefined>>;

const maps: { current: KeyMap }[] = [];

export function useKeys(keys: KeyMap): void {
  const map = useRef(keys);
  map.current = keys;
  useEffect(() => {
    maps.push(map);
    return () => {
      maps.splice(maps.indexOf(map), 1);
    };
  }, []);
}

export function listenToKeys(): () => void {
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof HTMLElement ? event.target : undefined;
    if (
      target?.closest(
        "input, textarea, select, [contenteditable], dialog, [role=dialog], [role=alertdialog], [role=menu]",
      )
    ) {
      return;
    }
    // A button in focus has these for itself.
    if ((event.key === "Enter" || event.key === " ") && target?.closest("button, a, summary")) return;
    for (const { current } of maps.toReversed()) {
      const act = Object.hasOwn(current, event.key) ? current[event.key] : undefined;
      if (!act || act(event) === false) continue;
      event.preventDefault();
      return;
    }
  };
  window.addEventListener("keydown", onKey);
  return () => window.removeEventListener("keydown", onKey);
}
