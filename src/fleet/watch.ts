/** What the page has seen of the fleet since it was opened, second by second: the newest ten minutes, for small charts. */
import { burnUsdPerMinute } from "./burn.ts";
import { at } from "./columns.ts";
import type { Fleet } from "./fleet.ts";

const SECONDS_MAX = 600;

export class Watch {
  times: number[] = [];
  usdPerMinute: (number | null)[] = [];
  running: number[] = [];

  note(fleet: Fleet): void {
    if (fleet.timeMs <= (this.times.at(-1) ?? 0)) return;
    const burn = burnUsdPerMinute(fleet.sums.burn.allNano, fleet.timeMs - fleet.sinceMs);
    this.times = [...this.times, fleet.timeMs].slice(-SECONDS_MAX);
    this.usdPerMinute = [...this.usdPerMinute, burn ?? null].slice(-SECONDS_MAX);
    const running = at(fleet.sums.all.mix, fleet.statuses.indexOf("running"));
    this.running = [...this.running, running].slice(-SECONDS_MAX);
  }
}
