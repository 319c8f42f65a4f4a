/**
 * One tree of many events: starting, showing, reading and verifying it. One JSON line: `node bench/size/events.ts [EVENTS]`, 1,000,000 by
 * default, six or so to each agent.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../src/client.ts";
import { Banyan } from "../../src/index.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import { round } from "../core/figures.ts";
import { plant } from "./grove.ts";
import { startServer } from "./server-process.ts";

const wanted = Number(process.argv[2] ?? 1_000_000);
/** Four levels of agents; a tree has at most 100,000 of them, so half of them take five turns. About 11 events each. */
const EVENTS_EACH = 11;
const folder = await mkdtemp(join(tmpdir(), "banyan-events-"));
try {
  const side = Math.round((wanted / EVENTS_EACH) ** (1 / 3));
  const { agents, events } = await plant(folder, [
    { name: "large", fanOut: [side, side, side], held: true, rest: ["ended", "waiting", "held", "waiting"], turns: 5 },
  ]);
  const megabytes = (await stat(join(folder, "journal", "journal.db"))).size / 1e6;
  console.log(
    JSON.stringify({
      bench: "events",
      agents,
      events,
      diskMb: round(megabytes),
      ...(await served()),
      ...(await read(events)),
      load: round(loadavg()[0] ?? 0),
    }),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function served() {
  await using server = await startServer(folder);
  await using client = await connect(folder);
  const overviewMs = await took(() => client.overview({ lines: 40 }));
  const treeMs = await took(() => client.tree().toArray());
  await server.lag();
  let logged = 0;
  const logsMs = await took(async () => {
    for await (const _ of client.logs()) logged += 1;
  });
  const { maxMs, rssMb } = await server.lag();
  return {
    startMs: round(server.startMs),
    overviewMs,
    treeMs,
    logsMs,
    logged,
    loopHeldMsMax: round(maxMs),
    servedRssMb: rssMb,
  };
}

async function read(events: number) {
  let iterated = 0;
  const iterateMs = await took(async () => {
    await using banyan = await Banyan.open(folder);
    const [root] = banyan.roots();
    const enough = new AbortController();
    for await (const _ of root?.events({ subtree: true, signal: enough.signal }) ?? []) {
      iterated += 1;
      if (iterated === events) enough.abort();
    }
  });
  let damaged = -1;
  const verifyMs = await took(async () => {
    damaged = (await verifyFolder(folder)).damaged.length;
  });
  return { iterateMs, iterated, verifyMs, damaged, rssMb: Math.round(process.resourceUsage().maxRSS / 1_000) };
}

async function took(what: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await what();
  return round(performance.now() - startMs);
}
