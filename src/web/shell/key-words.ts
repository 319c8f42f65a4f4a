/** What the keys do, for people: as the help says it, and the docs. */
export const KEYS: readonly (readonly [keys: string, says: string])[] = [
  ["j k", "next and previous row"],
  ["l h", "open and close a subtree; go in and out"],
  ["Enter", "open the agent"],
  ["Escape", "close what is open"],
  ["n N", "next and previous agent with a problem"],
  ["/", "filter"],
  ["z", "zoom into the subtree, and out again"],
  ["p", "pause, or resume what is held"],
  ["x", "cancel"],
  ["f", "fork"],
  [".", "everything that can be done with the agent"],
  ["1 2 3 4 5", "the pages"],
  ["?", "this help"],
];
