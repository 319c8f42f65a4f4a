/** How a status looks in a terminal: a symbol and a colour, which its word always stands beside. */
import { styleText } from "node:util";
import type { Status } from "../agent/status.ts";

export type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

export function painter(colour: boolean): Paint {
  return (style, text) => (colour && text !== "" ? styleText(style, text, { validateStream: false }) : text);
}

export const LOOK: Readonly<Record<Status, { symbol: string; style: Style }>> = {
  queued: { symbol: "○", style: "dim" },
  starting: { symbol: "◌", style: "cyan" },
  running: { symbol: "●", style: "green" },
  waiting: { symbol: "◐", style: "cyan" },
  held: { symbol: "‖", style: "magenta" },
  completed: { symbol: "✓", style: "dim" },
  failed: { symbol: "✗", style: "red" },
  cancelled: { symbol: "⊘", style: "yellow" },
};
