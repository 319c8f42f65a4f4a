/**
 * What a tidy rule is. A rule carries samples: some that it must find and some that it must leave alone, so that one
 * that has stopped working fails its own test.
 */
import type { Source } from "./source.ts";

export interface Finding {
  readonly path: string;
  readonly line: number;
  /** What is wrong, and what to do instead. */
  readonly message: string;
}

/** A made-up file: its path, which decides what applies to it, and its text. */
export type Sample = readonly [path: string, text: string];

export interface Rule {
  readonly name: string;
  readonly check: (source: Source) => Finding[];
  readonly bad: readonly [Sample, ...Sample[]];
  readonly good: readonly [Sample, ...Sample[]];
  /** Files that may break it: path to the reason. An entry that is not needed any more fails the test. */
  readonly except?: Readonly<Record<string, string>>;
}

/** `src/agent/decide.ts` is `{ top: "src", floor: "agent" }`; a file right under src is a door, of floor "". */
export function placeOf(path: string): { readonly top: string; readonly floor: string } {
  const [top = "", ...rest] = path.split("/");
  return { top, floor: rest.length > 1 ? (rest[0] ?? "") : "" };
}

export function isCode(source: Source): boolean {
  return source.program !== undefined;
}
