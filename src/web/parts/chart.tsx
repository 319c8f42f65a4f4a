/** A small chart of figures over time, in the page's colours. */
import { useEffect, useRef } from "react";
import UPlot from "uplot";
import { clockTime } from "./format.ts";

export interface Series {
  readonly label: string;
  /** Name of a colour of the page, such as `--accent`. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  readonly write: (value: number) => string;
}

interface Given {
  /** Milliseconds since the epoch. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly height: number;
  readonly label: string;
  /** Values stay as they are until the next one, instead of going there in a line. */
  readonly steps?: boolean;
}

export function Chart({ times, series, height, label, steps = false }: Given) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const shape = series.map((each) => each.label).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew for other series, not for other values
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const make = () => {
      plot.current?.destroy();
      plot.current = new UPlot(optionsOf(element, series, height, steps), dataOf(times, series), element);
    };
    make();
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height }));
    sized.observe(element);
    const themed = new MutationObserver(make);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      sized.disconnect();
      themed.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [shape, height, steps]);
  useEffect(() => plot.current?.setData(dataOf(times, series)), [times, series]);
  return <div ref={host} className="chart" role="img" aria-label={label} style={{ height }} />;
}

/** Seconds between times on the axis: whole ones, as they are written. */
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];

function dataOf(times: readonly number[], series: readonly Series[]): UPlot.AlignedData {
  return [times.map((time) => time / 1_000), ...series.map(({ values }) => [...values])];
}

function optionsOf(element: HTMLElement, series: readonly Series[], height: number, steps: boolean): UPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const axis = { stroke: color("--ink-3"), font, grid: { stroke: color("--line"), width: 1 }, ticks: { show: false } };
  const write = series[0]?.write ?? String;
  return {
    width: Math.max(60, element.clientWidth),
    height,
    // The last time on the axis is not cut off.
    padding: [8, 28, 0, 0],
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        space: 84,
        incrs: TIME_STEPS,
        values: (_plot, splits) => splits.map((split) => clockTime(split * 1_000)),
      },
      { ...axis, size: 54, space: 28, values: (_plot, splits) => splits.map(write) },
    ],
    series: [
      {},
      ...series.map(({ label, color: name }) => ({
        label,
        stroke: color(name),
        fill: `color-mix(in srgb, ${color(name)} 14%, transparent)`,
        width: 1.5,
        points: { show: false },
        ...(steps && UPlot.paths.stepped && { paths: UPlot.paths.stepped({ align: 1 }) }),
      })),
    ],
  };
}
