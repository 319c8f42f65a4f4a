/**
 * The whole of a result that came as a head and a reference. It is read in pages of lines that fit a message; a page that
 * was cut again is halved, down to one line. A single line too long for a message stays a head.
 */
import type { Call, Outcome } from "./calls.ts";
import { cutOf } from "./results.ts";

/** A plan asks for calls, some at a time, and goes on with their outcomes. */
export type Plan<Result> = Generator<readonly Call[], Result, readonly Outcome[]>;

/** What a page should hold on average, below the limit on results that are shown whole. */
const PAGE_BYTES = 4_096;

export function* wholeText(outcome: Outcome): Plan<string> {
  const cut = outcome.failed ? undefined : cutOf(outcome.text);
  if (!cut) return outcome.text;
  const [first] = yield [page(cut.ref, { from: 1, to: 1 })];
  const lines = Number(/^.*: lines \d+-\d+ of (\d+),/.exec(first?.text ?? "")?.[1] ?? 0);
  if (lines === 0) return cut.head;
  const linesPerPage = Math.max(1, Math.floor((PAGE_BYTES * lines) / cut.bytes));
  const ranges: Range[] = [];
  for (let from = 1; from <= lines; from += linesPerPage) {
    ranges.push({ from, to: Math.min(from + linesPerPage - 1, lines) });
  }
  const pages = yield* readPages(cut.ref, ranges);
  return pages.join("\n");
}

/** Lines from 1, both ends included. */
interface Range {
  readonly from: number;
  readonly to: number;
}

function* readPages(ref: string, wanted: readonly Range[]): Plan<string[]> {
  for (let ranges = wanted; ; ) {
    const outcomes = yield ranges.map((range) => page(ref, range));
    const finer = ranges.flatMap((range, index) => (cutOf(outcomes[index]?.text ?? "") ? halves(range) : [range]));
    if (finer.length === ranges.length) return outcomes.map(({ text }) => withoutHeader(cutOf(text)?.head ?? text));
    ranges = finer;
  }
}

function halves({ from, to }: Range): Range[] {
  if (from === to) return [{ from, to }];
  const middle = Math.floor((from + to) / 2);
  return [
    { from, to: middle },
    { from: middle + 1, to },
  ];
}

function page(ref: string, { from, to }: Range): Call {
  return { name: "read_artifact", input: { ref, offset: from, limit: to - from + 1 } };
}

function withoutHeader(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? "" : text.slice(end + 1);
}
