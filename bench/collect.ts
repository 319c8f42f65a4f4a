/**
 * Whether anyone waits for a collection: agents put 4 KiB and append a record that refers to it, without a pause, first alone, then while
 * blobs are collected half of which nobody refers to. Prints one JSON line.
 *
 * `node bench/collect.ts [--blobs 100000] [--writers 16] [--seconds 5] [--data DIR]`
 *
 * Pauses are those of the event loop, as its own timer sees them every millisecond, in time and in CPU time of the thread (a machine that is
 * busy with other work stretches the first, not the second), and the longest wait for a put and its append.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { collect } from "../src/artifacts/collect.ts";
import { systemClock } from "../src/base/clock.ts";
import { createIds } from "../src/base/ids.ts";
import { LIMITS } from "../src/base/limits.ts";
import { seededRandom, systemRandom } from "../src/base/random.ts";
import { openFsBlobs } from "../src/blobs/fs/fs-blobs.ts";
import { openSqliteJournal } from "../src/journal/sqlite/sqlite-journal.ts";

const { values } = parseArgs({
  options: {
    blobs: { type: "string", default: "100000" },
    writers: { type: "string", default: "16" },
    seconds: { type: "string", default: "5" },
    data: { type: "string" },
  },
});
const [count, writers, seconds] = [values.blobs, values.writers, values.seconds].map(Number) as [
  number,
  number,
  number,
];
const BYTES = 4_096;
const NOISE = seededRandom(1).bytes(BYTES);
const AT_ONCE = 500;

const root = await mkdtemp(join(values.data ?? tmpdir(), "banyan-collect-"));
const clock = systemClock();
const ids = createIds({ clock, random: systemRandom });
let made = 0;
try {
  await plant();
  const journal = await openSqliteJournal({ folder: join(root, "journal") });
  const blobs = await openFsBlobs({ folder: join(root, "blobs") });
  const alone = await beside(async () => {
    const done = Promise.withResolvers<void>();
    clock.timer(seconds * 1_000, () => done.resolve());
    await done.promise;
    return {};
  });
  const collecting = await beside(async () => {
    const startedMs = performance.now();
    const collected = await collect({ journal, blobs, clock, graceMs: LIMITS.collectGraceMsMin });
    return { ...collected, tookMs: Math.round(performance.now() - startedMs) };
  });
  console.log(JSON.stringify({ blobs: count, writers, alone, collecting, load: loadavg()[0] }));
  await journal.close();
  await blobs.close();

  /** What writers see while some work is done. */
  async function beside<Found>(work: () => Promise<Found>) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const waits: number[] = [];
    const busyMs: number[] = [];
    let before = threadMs();
    const ticking = setInterval(() => {
      const now = threadMs();
      busyMs.push(now - before);
      before = now;
    }, 1);
    let isOver = false;
    const startedMs = performance.now();
    delay.enable();
    const writing = Promise.all(Array.from({ length: writers }, () => write()));
    const found = await work();
    const elapsedMs = performance.now() - startedMs;
    isOver = true;
    delay.disable();
    clearInterval(ticking);
    await writing;
    waits.sort((one, other) => one - other);
    const at = (part: number) => Number((waits[Math.floor((waits.length - 1) * part)] ?? 0).toFixed(1));
    return {
      ...found,
      loopMs: { p99: Number((delay.percentile(99) / 1e6).toFixed(1)), max: Number((delay.max / 1e6).toFixed(1)) },
      loopCpuMs: {
        p99: round(sorted(busyMs).at(Math.floor(busyMs.length * 0.99)) ?? 0),
        max: round(busyMs.reduce((most, each) => Math.max(most, each), 0)),
      },
      putMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
      putsPerSecond: Math.round((waits.length / elapsedMs) * 1_000),
    };

    async function write(): Promise<void> {
      const agent = ids();
      for (let seq = 0; !isOver; seq += 1) {
        const fromMs = performance.now();
        const { digest } = await blobs.put(next());
        const record = { time: Math.floor(clock.now()), type: "artifact.written", body: JSON.stringify({ digest }) };
        await journal.append([{ agent, expectedSeq: seq, records: [record] }]);
        waits.push(performance.now() - fromMs);
      }
    }
  }
} finally {
  await rm(root, { recursive: true, force: true });
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((one, other) => one - other);
}

function round(value: number): number {
  return Number(value.toFixed(1));
}

/** Blobs of an earlier life, every second of them in the journal. */
async function plant(): Promise<void> {
  const journal = await openSqliteJournal({ folder: join(root, "journal") });
  const blobs = await openFsBlobs({ folder: join(root, "blobs") });
  const agent = ids();
  for (let seq = 0, planted = 0; planted < count; planted += AT_ONCE) {
    const stored = await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - planted) }, () => blobs.put(next())),
    );
    const records = stored
      .filter((_, index) => index % 2 === 0)
      .map(({ digest }) => ({ time: 1, type: "artifact.written", body: JSON.stringify({ digest }) }));
    await journal.append([{ agent, expectedSeq: seq, records }]);
    seq += records.length;
  }
  await journal.close();
  await blobs.close();
}

function next(): Uint8Array {
  made += 1;
  const bytes = Uint8Array.from(NOISE);
  new DataView(bytes.buffer).setUint32(0, made);
  return bytes;
}
