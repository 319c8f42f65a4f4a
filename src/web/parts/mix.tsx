/** How many agents of a subtree are in which state, as a bar; in words for those who do not see it. */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { MIX_WIDTH } from "../../fleet/sums.ts";
import { plural } from "./format.ts";

/** From what needs eyes to what does not, whatever the order of the feed. */
const ORDER = ["failed", "held", "running", "starting", "waiting", "queued", "completed", "cancelled"];

export function mixOf(fleet: Fleet, agent: number): { readonly status: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  fleet.statuses.forEach((status, index) => {
    const count = agent < 0 ? at(fleet.sums.all.mix, index) : at(fleet.sums.mix, agent * MIX_WIDTH + index);
    if (count > 0) counts.set(status, count);
  });
  const known = ORDER.filter((status) => counts.has(status));
  return known.map((status) => ({ status, count: counts.get(status) ?? 0 }));
}

function mixWords(mix: readonly { readonly status: string; readonly count: number }[]): string {
  return mix.map(({ status, count }) => `${count} ${status}`).join(", ");
}

export function MixBar({ fleet, agent }: { fleet: Fleet; agent: number }) {
  const mix = mixOf(fleet, agent);
  const total = mix.reduce((sum, { count }) => sum + count, 0);
  let before = 0;
  const stops = mix.map(({ status, count }) => {
    const from = (before / total) * 100;
    before += count;
    return `var(--state-${status}) ${from.toFixed(2)}% ${((before / total) * 100).toFixed(2)}%`;
  });
  const words = mixWords(mix);
  return (
    <span
      className="mix"
      role="img"
      aria-label={`${plural(total, "agent")}: ${words}`}
      title={words}
      style={{ backgroundImage: total === 0 ? "none" : `linear-gradient(90deg, ${stops.join(", ")})` }}
    />
  );
}
