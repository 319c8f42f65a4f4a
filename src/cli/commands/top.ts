/**
 * `banyan top`: the tree as it changes, with the dashboard's keys, until `q`. Where `out` is no terminal it is printed once. Where nobody types
 * it asks for what the screen shows, and spends at most a fifth of its time on asking.
 */
import { createLogUpdate } from "log-update";
import { sleep } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Client } from "../../client.ts";
import type { Overview } from "../../server/contract/overview.ts";
import { type CommonOptions, dataCommand, type Register, withClient } from "../command.ts";
import { plural } from "../figures.ts";
import { columnsOf, type Io, print } from "../io.ts";
import { linesFor, renderOverview } from "../live-tree.ts";
import { cut } from "../terminal.ts";
import { watchFleet } from "../top/watch.ts";

/** At most five times a second. */
const REFRESH_MS_MIN = 200;

export const register: Register = (program, io) => {
  dataCommand(
    program,
    "top [agent]",
    "watch the tree live and act on it, with the keys of the dashboard: ? shows them, q ends it",
    "the tree once, as rows with all figures",
  ).action(async (agent: string | undefined, options: CommonOptions) => {
    await withClient(io, options, async (client) => {
      if (options.json) return void (await print(io, JSON.stringify(await client.tree({ agent }).toArray())));
      if (!io.out.isTTY) return void (await print(io, await draw(io, client, agent)));
      if (io.input?.isTTY) await watchFleet(io, client, io.input, agent);
      else await watch(io, client, agent);
    });
  });
};

async function watch(io: Io, client: Client, agent: string | undefined): Promise<void> {
  const update = createLogUpdate(io.out as NodeJS.WriteStream);
  let shown: string | undefined;
  try {
    while (!io.interrupted.aborted) {
      const startMs = io.clock.monotonic();
      const frame = (await draw(io, client, agent)) + (client.live ? "" : "\nno process runs on this data");
      if (frame !== shown) update(frame);
      shown = frame;
      const tookMs = io.clock.monotonic() - startMs;
      await sleep(io.clock, Math.max(REFRESH_MS_MIN, 4 * tookMs), io.interrupted).catch(() => undefined);
    }
  } finally {
    update.done();
  }
}

async function draw(io: Io, client: Client, agent: string | undefined): Promise<string> {
  // One line for the cursor, one for the note.
  const rows = io.out.isTTY ? Math.max(3, (io.out.rows ?? 24) - 2) : LIMITS.overviewLinesMax;
  const view = { columns: columnsOf(io), rows: rows - 1, colour: io.colour };
  const overview = await client.overview({ agent, lines: linesFor(view) });
  const { pool } = overview;
  return [renderOverview(overview, view), ...(pool ? [cut(poolLine(pool), view.columns)] : [])].join("\n");
}

function poolLine({ ready, target, claimed, parked, waiting }: NonNullable<Overview["pool"]>): string {
  const waits = waiting > 0 ? `; ${plural(waiting, "agent")} waiting for one` : "";
  return `sessions: ${claimed} working, ${parked} at rest, ${ready} of ${target} ready${waits}`;
}
