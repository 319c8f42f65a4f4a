/** Keys of a terminal, by the names that the dashboard's keys have. */
import type { Key } from "node:readline";

const NAMES: Readonly<Record<string, string>> = {
  up: "ArrowUp",
  down: "ArrowDown",
  left: "ArrowLeft",
  right: "ArrowRight",
  return: "Enter",
  enter: "Enter",
  escape: "Escape",
  backspace: "Backspace",
  pageup: "PageUp",
  pagedown: "PageDown",
  home: "Home",
  end: "End",
  space: " ",
};

/** Undefined for what has no meaning here. Ctrl-C, and Ctrl-D as in a shell, are `q` wherever one is. */
export function keyOf(text: string | undefined, { name = "", ctrl = false, meta = false }: Key): string | undefined {
  if (ctrl) return name === "c" || name === "d" ? "Quit" : undefined;
  const named = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  if (named !== undefined) return named;
  return !meta && text !== undefined && /^[^\p{C}]$/u.test(text) ? text : undefined;
}

/** What the keys do, for people. */
export const KEYS: readonly (readonly [keys: string, says: string])[] = [
  ["j k", "next and previous row; g G first and last"],
  ["l h", "open and close a subtree; go in and out"],
  ["Enter", "open the agent"],
  ["Escape", "close what is open"],
  ["n N", "next and previous agent with a problem"],
  ["/", "filter, such as status:failed level>6 cost>2 name:foo"],
  ["z", "zoom into the subtree, and out again"],
  ["p", "pause, or resume what is held"],
  ["x", "cancel"],
  ["f", "fork"],
  [".", "everything that can be done with the agent"],
  ["q", "leave"],
];
