/** Sums over measured values, and the line that a figure is kept as. */

/** One measured figure. Lines are what a results file holds, one a row. */
export interface Line {
  readonly bench: string;
  readonly contender: string;
  /** From 1; lines of one run were measured side by side. */
  readonly run: number;
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** Load average of the last minute when it was measured. */
  readonly load: number;
  readonly machine?: string;
  /** User and system, of the contender's process and of servers of its own beside it. */
  readonly cpuSeconds?: number;
  readonly serverCpuSeconds?: number;
  /** Peak. */
  readonly rssMb?: number;
  readonly serverRssMb?: number;
  readonly diskMb?: number;
  readonly durable?: string;
  readonly versions?: Readonly<Record<string, string>>;
  /** Share of the workload that was done. */
  readonly scale?: number;
  readonly note?: string;
}

/** The value below which a share of the sorted values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** Between the two in the middle when their number is even. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

export function round(value: number, digits = 2): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}

/** Three significant digits below 1,000, whole numbers above. */
export function significant(value: number): number {
  return Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(3));
}

/** How a value grows with a size: the exponent of the power law that fits best, 0 when it does not grow, 1 when in proportion. */
export function slope(points: readonly (readonly [size: number, value: number])[]): number {
  const logs = points.map(([size, value]) => [Math.log(size), Math.log(value)] as const);
  const mean = (at: 0 | 1) => logs.reduce((sum, log) => sum + log[at], 0) / logs.length;
  const [meanX, meanY] = [mean(0), mean(1)];
  const up = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return up / logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}
