/** Leads to any moment of the fleet's past, drawn over how many agents lived when. At its right end it is now, and stays now. */
import { useEffect, useRef } from "react";
import type { Fleet } from "../../fleet/fleet.ts";
import { livingOverTime } from "../../fleet/time/past.ts";
import { clockTime, count, duration, usd } from "../parts/format.ts";

/** Steps of the slider, which arrow keys go by one and page keys by a tenth. */
const STEPS = 1_000;
const living = new Float64Array(STEPS + 1);

interface Given {
  readonly fleet: Fleet;
  readonly fromMs: number;
  /** Undefined for now. */
  readonly atMs: number | undefined;
  readonly alive: number;
  /** Dollars that all had cost by then; undefined where that is not known. */
  readonly spent: number | undefined;
  readonly onScrub: (atMs: number | undefined) => void;
}

export function Scrubber({ fleet, fromMs, atMs, alive, spent, onScrub }: Given) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const nowMs = fleet.timeMs;
  const span = Math.max(1, nowMs - fromMs);
  const step = atMs === undefined ? STEPS : Math.round(((atMs - fromMs) / span) * STEPS);
  // How many lived when changes slowly: with every thousandth of the span, or with a new size.
  const drawn = `${Math.floor(nowMs / Math.max(1_000, span / STEPS))}/${step}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: drawn again when what it shows has changed
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const paint = () => paintLiving(element, fleet, fromMs, fleet.timeMs, step / STEPS);
    paint();
    const sized = new ResizeObserver(paint);
    sized.observe(element);
    const themed = new MutationObserver(paint);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      sized.disconnect();
      themed.disconnect();
    };
  }, [fleet, fromMs, drawn]);
  const then = atMs === undefined ? "now" : `${clockTime(atMs)}, ${duration(nowMs - atMs)} ago`;
  const money = spent === undefined ? "" : `, ${usd(spent)} spent`;
  return (
    <div className="scrubber" data-past={atMs !== undefined}>
      <div className="track">
        <canvas ref={canvas} />
        <input
          type="range"
          min={0}
          max={STEPS}
          value={step}
          aria-label="Moment that is shown"
          aria-valuetext={`${then}: ${count(alive)} alive${money}`}
          onChange={(event) => {
            const next = Number(event.target.value);
            onScrub(next >= STEPS ? undefined : fromMs + (next / STEPS) * span);
          }}
        />
      </div>
      <output>
        <b>{atMs === undefined ? "Now" : clockTime(atMs)}</b>
        <span>{`${count(alive)} alive${money}${atMs === undefined ? "" : `, ${duration(nowMs - atMs)} ago`}`}</span>
      </output>
      <button type="button" className="button" disabled={atMs === undefined} onClick={() => onScrub(undefined)}>
        Back to now
      </button>
    </div>
  );
}

function paintLiving(canvas: HTMLCanvasElement, fleet: Fleet, fromMs: number, toMs: number, shown: number): void {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  const context = canvas.getContext("2d");
  if (!context || width === 0) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  livingOverTime(fleet, fromMs, toMs, STEPS, living);
  let most = 1;
  for (let moment = 0; moment < STEPS; moment++) most = Math.max(most, living[moment] ?? 0);
  const path = new Path2D();
  path.moveTo(0, height);
  for (let moment = 0; moment < STEPS; moment++) {
    path.lineTo((moment / (STEPS - 1)) * width, height - 1 - ((living[moment] ?? 0) / most) * (height - 5));
  }
  path.lineTo(width, height);
  path.closePath();
  const color = style.getPropertyValue("--state-running").trim();
  const fill = (alpha: number, from: number, to: number) => {
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, height);
    context.clip();
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.fill(path);
    context.restore();
  };
  fill(0.42, 0, shown * width);
  fill(0.14, shown * width, width);
}
