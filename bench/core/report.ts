/** Lines of several runs as one table: the median of each figure, and how each contender stands to ours. */
import { type Line, median, round, significant } from "./figures.ts";

export interface Row {
  readonly bench: string;
  readonly figure: string;
  readonly unit: string;
  /** By contender. */
  readonly cells: ReadonlyMap<string, Cell>;
}

export interface Cell {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly runs: number;
  /** Median over runs of this contender's value by ours in the same run; absent for ours, or where ours is not there. */
  readonly ratio: number | undefined;
}

/** One row a figure, in the order in which they were measured. `ours` is who the others are compared to. */
export function rowsOf(lines: readonly Line[], ours: string): Row[] {
  const byFigure = Map.groupBy(lines, ({ bench, figure }) => `${bench}\n${figure}`);
  return [...byFigure.values()].map((group) => {
    const [{ bench, figure, unit }] = group as [Line, ...Line[]];
    const own = new Map(group.filter(({ contender }) => contender === ours).map((line) => [line.run, line.value]));
    const cells = [...Map.groupBy(group, ({ contender }) => contender)].map(([contender, its]) => {
      const values = its.map(({ value }) => value);
      const ratios = its.flatMap(({ run, value }) => {
        const to = own.get(run);
        return contender === ours || !to ? [] : [value / to];
      });
      const cell: Cell = {
        median: significant(median(values)),
        min: Math.min(...values),
        max: Math.max(...values),
        runs: values.length,
        ratio: ratios.length > 0 ? round(median(ratios), 3) : undefined,
      };
      return [contender, cell] as const;
    });
    return { bench, figure, unit, cells: new Map(cells) };
  });
}
