/** What stands around the cells: bands of levels with their numbers, the axis, the present, and the veil over what came after a past moment. */
import { at } from "../../fleet/columns.ts";
import type { Bands } from "../../fleet/time/bands.ts";
import type { Layout } from "../../fleet/time/layout.ts";
import { moneyTicks, timeTicks } from "../../fleet/time/ticks.ts";
import type { View } from "../../fleet/time/view.ts";
import { clockTime, count, dayTime, usd } from "../parts/format.ts";
import type { Palette } from "./palette.ts";

/** Room for the numbers of levels, and for the axis. */
export const GUTTER = 52;
export const AXIS = 26;
const TICK_PX = 110;
const DAY_MS = 86_400_000;

export function paintBands(
  context: CanvasRenderingContext2D,
  bands: Bands,
  layout: Layout,
  palette: Palette,
  width: number,
): void {
  context.textBaseline = "middle";
  context.textAlign = "right";
  let numbered = -20;
  for (let level = 0; level < bands.count; level++) {
    const top = at(bands.top, level);
    const height = at(bands.bottom, level) - top;
    context.fillStyle = palette.panel;
    context.fillRect(GUTTER, AXIS + top, width - GUTTER, height);
    if (top + height / 2 - numbered < 13) continue;
    numbered = top + height / 2;
    const agents = at(layout.levels, level + 1) - at(layout.levels, level);
    const hasRoom = height >= 30;
    context.fillStyle = palette.ink;
    context.font = `500 11px ${palette.sans}`;
    context.fillText(String(level), GUTTER - 8, AXIS + numbered - (hasRoom ? 6 : 0));
    if (!hasRoom) continue;
    context.fillStyle = palette.quiet;
    context.font = `10px ${palette.sans}`;
    context.fillText(count(agents), GUTTER - 8, AXIS + numbered + 8);
  }
  context.textAlign = "left";
}

export function paintAxis(
  context: CanvasRenderingContext2D,
  view: View,
  palette: Palette,
  width: number,
  bottom: number,
  total: { readonly along: "time" | "cost"; readonly usd: number },
): void {
  const shown = width - GUTTER;
  const unit = total.along === "cost" && total.usd > 0 ? total.usd : 1;
  const span = (view.right - view.left) * unit;
  const least = (span * TICK_PX) / shown;
  const zoneMs = -new Date(view.left).getTimezoneOffset() * 60_000;
  const isTime = total.along === "time";
  const { first, step } = isTime ? timeTicks(view.left, least, zoneMs) : moneyTicks(view.left * unit, least);
  context.font = `11px ${palette.sans}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (let value = first, drawn = 0; value <= view.right * unit && drawn < 100; value += step, drawn++) {
    const x = GUTTER + Math.round(((value / unit - view.left) / (view.right - view.left)) * shown);
    context.fillStyle = palette.line;
    context.fillRect(x, AXIS - 8, 1, bottom - AXIS + 8);
    context.fillStyle = palette.quiet;
    if (x + 64 > width) break;
    const text = isTime
      ? step >= DAY_MS
        ? dayTime(value).split(",")[0]
        : clockTime(value)
      : usd(value).replace(/\.00$/, "");
    context.fillText(text ?? "", x + 5, AXIS / 2 - 1);
  }
}

/** Everything right of a past moment is not known yet there. */
export function paintVeil(
  context: CanvasRenderingContext2D,
  x: number,
  palette: Palette,
  width: number,
  bottom: number,
): void {
  const from = Math.max(GUTTER, Math.min(width, x));
  context.globalAlpha = 0.78;
  context.fillStyle = palette.ground;
  context.fillRect(from, AXIS, width - from, bottom - AXIS);
  context.globalAlpha = 1;
  if (x < GUTTER || x > width) return;
  context.fillStyle = palette.accent;
  context.fillRect(Math.round(x) - 1, AXIS - 8, 2, bottom - AXIS + 8);
}

export function paintPresent(context: CanvasRenderingContext2D, x: number, palette: Palette, bottom: number): void {
  if (x < GUTTER) return;
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.7;
  context.fillRect(Math.round(x), AXIS - 8, 1, bottom - AXIS + 8);
  context.globalAlpha = 1;
}
