/** What the keys do, for people: as the help says it, and the docs. */
export const KEYS: readonly (readonly [keys: string, says: string])[] = [
  ["j k", "next and previous row; on Time, to a child and to the parent"],
  ["l h", "open and close a subtree; go in and out; on Time, along a level"],
  ["Enter", "open the agent"],
  ["Escape", "close what is open"],
  ["n N", "next and previous agent with a problem"],
  ["/", "filter"],
  ["z", "zoom into the subtree, and out again"],
  ["+ - 0", "on Time: closer, farther, the whole fleet"],
  ["[ ] { }", "on Time: through the past, in small steps and large ones"],
  ["p", "pause, or resume what is held"],
  ["x", "cancel"],
  ["f", "fork"],
  [".", "everything that can be done with the agent"],
  ["1 2 3 4 5", "the pages"],
  ["?", "this help"],
];
