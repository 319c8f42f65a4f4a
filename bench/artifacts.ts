/**
 * Whether the store of blobs slows down as it fills: puts and gets of 4 KiB and 256 KiB into a store that holds many blobs and gigabytes, and into
 * an empty one, in turn, so that both meet the same machine; with the memory of the process as it fills, and the time of an opening.
 * Prints one JSON line a store.
 *
 * `node bench/artifacts.ts [--blobs 1000000] [--gigabytes 10] [--samples 2000] [--stores banyan,files,cacache] [--data DIR]`
 *
 * The full size needs 15 GB of disk and a million inodes for each store, one after the other, in `--data` (default: a temporary
 * folder, removed at the end). `files` writes plain files without a sync, named by their number in 256 folders: what the file
 * system alone does. `cacache` is npm's store, without a sync too. Ratios are of the full store to the empty one: medians over the rounds.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { seededRandom } from "../src/base/random.ts";
import type { Digest } from "../src/blobs/blobs.ts";
import { openFsBlobs } from "../src/blobs/fs/fs-blobs.ts";
import { installBeside } from "./core/install.ts";

interface Store {
  /** Resolves to what `get` takes. */
  put(bytes: Uint8Array, name: string): Promise<string>;
  get(id: string): Promise<unknown>;
  close(): Promise<void>;
}

const { values } = parseArgs({
  options: {
    blobs: { type: "string", default: "1000000" },
    gigabytes: { type: "string", default: "10" },
    samples: { type: "string", default: "2000" },
    stores: { type: "string", default: "banyan,files,cacache" },
    data: { type: "string" },
  },
});
const [blobs, gigabytes, samples] = [values.blobs, values.gigabytes, values.samples].map(Number) as [
  number,
  number,
  number,
];
const SMALL_BYTES = 4_096;
const LARGE_BYTES = 256 * 1024;
/** Puts and gets under way at once. */
const AT_ONCE = 16;
const ROUNDS = 5;
const NOISE = seededRandom(1).bytes(LARGE_BYTES);

const OPEN: Readonly<Record<string, (folder: string) => Promise<Store>>> = {
  async banyan(folder) {
    const store = await openFsBlobs({ folder });
    return {
      put: async (bytes) => (await store.put(bytes)).digest,
      get: async (digest) => {
        for await (const _ of store.get(digest as Digest));
      },
      close: () => store.close(),
    };
  },
  async files(folder) {
    const pathOf = (name: string) => join(folder, String(Number(name) % 256), name);
    for (let index = 0; index < 256; index += 1) await mkdir(join(folder, String(index)), { recursive: true });
    return {
      put: async (bytes, name) => {
        await writeFile(pathOf(name), bytes);
        return name;
      },
      get: (name) => readFile(pathOf(name)),
      close: async () => {},
    };
  },
  async cacache(folder) {
    const module = join(import.meta.dirname, "peers/cacache/store.ts");
    await installBeside(module);
    return (await import(module)).openStore(folder);
  },
};

const root = await mkdtemp(join(values.data ?? tmpdir(), "banyan-bench-"));
try {
  for (const name of values.stores.split(",")) {
    const open = OPEN[name];
    if (!open) throw new Error(`no store ${name}: there are ${Object.keys(OPEN).join(", ")}`);
    const folder = join(root, name);
    for (const each of ["full", "empty"]) await mkdir(join(folder, each), { recursive: true });
    const { node } = process.versions;
    console.log(
      JSON.stringify({ store: name, blobs, gigabytes, ...(await measure(open, folder)), load: loadavg()[0], node }),
    );
    await rm(folder, { recursive: true, force: true });
  }
} finally {
  await rm(root, { recursive: true, force: true });
}

async function measure(open: (folder: string) => Promise<Store>, folder: string) {
  let store = await open(join(folder, "full"));
  const random = seededRandom(2);
  let made = 0;
  const next = (size: number) => {
    made += 1;
    const bytes = Uint8Array.from(NOISE.subarray(0, size));
    new DataView(bytes.buffer).setUint32(0, made);
    return { bytes, name: String(made) };
  };
  const sample = async (store: Store, size: number) => {
    const ids: string[] = [];
    const put = await timed(Math.ceil((size === SMALL_BYTES ? samples : samples / 10) / ROUNDS), async () => {
      const { bytes, name } = next(size);
      ids.push(await store.put(bytes, name));
    });
    let at = 0;
    const get = await timed(ids.length, async () => store.get(ids[at++] as string));
    return { put, get };
  };
  await sample(store, SMALL_BYTES); // Code and caches grow warm.
  await sample(store, LARGE_BYTES);

  const large = Math.max(0, Math.round((gigabytes * 1e9 - blobs * SMALL_BYTES) / (LARGE_BYTES - SMALL_BYTES)));
  const largeEvery = Math.max(1, Math.ceil(blobs / Math.max(1, large)));
  const rssMb: number[] = [];
  const kept: string[] = [];
  let filled = 0;
  const fill = await timed(blobs, async () => {
    filled += 1;
    if (filled % Math.ceil(blobs / 5) === 0) rssMb.push(Math.round(process.memoryUsage().rss / 1e6));
    const { bytes, name } = next(filled % largeEvery === 0 ? LARGE_BYTES : SMALL_BYTES);
    const id = await store.put(bytes, name);
    // Some of all, to be read from all over.
    if (random.next() < samples / blobs) kept.push(id);
  });
  await store.close();
  await promisify(execFile)("sync");
  const startMs = performance.now();
  store = await open(join(folder, "full"));
  const openMs = performance.now() - startMs;
  let at = 0;
  const getFromAll = await timed(kept.length, async () => store.get(kept[at++] as string));

  const empty = await open(join(folder, "empty"));
  const rounds: { full: Sample; empty: Sample; size: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const size of [SMALL_BYTES, LARGE_BYTES]) {
      // Now the one first, now the other.
      const first = round % 2 === 0 ? await sample(store, size) : undefined;
      const other = await sample(empty, size);
      rounds.push({ full: first ?? (await sample(store, size)), empty: other, size });
    }
  }
  const opened = Math.round(process.memoryUsage().rss / 1e6);
  await store.close();
  await empty.close();
  const of = (size: number) => rounds.filter((round) => round.size === size);
  return {
    small: figures(of(SMALL_BYTES)),
    large: figures(of(LARGE_BYTES)),
    getFromAll,
    fill,
    openMs: round(openMs),
    rssMb: { filling: rssMb, opened },
  };
}

interface Sample {
  readonly put: Timed;
  readonly get: Timed;
}

function figures(rounds: readonly { full: Sample; empty: Sample }[]) {
  const of = (what: "put" | "get") => {
    const ratio = (name: "p50Ms" | "p99Ms" | "perSecond") =>
      round(median(rounds.map(({ full, empty }) => full[what][name] / empty[what][name])));
    const all = (name: "p50Ms" | "p99Ms" | "perSecond") => round(median(rounds.map(({ full }) => full[what][name])));
    return {
      p50Ms: all("p50Ms"),
      p99Ms: all("p99Ms"),
      perSecond: all("perSecond"),
      toEmpty: { p50: ratio("p50Ms"), p99: ratio("p99Ms"), perSecond: ratio("perSecond") },
    };
  };
  return { put: of("put"), get: of("get") };
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

type Timed = Awaited<ReturnType<typeof timed>>;

async function timed(count: number, work: () => Promise<unknown>) {
  const tookMs: number[] = [];
  const startMs = performance.now();
  let left = count;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const fromMs = performance.now();
      await work();
      if (tookMs.length < 100_000) tookMs.push(performance.now() - fromMs);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const perSecond = Math.round((count / (performance.now() - startMs)) * 1_000);
  tookMs.sort((a, b) => a - b);
  const at = (part: number) => round(tookMs[Math.floor(tookMs.length * part)] ?? Number.NaN);
  return { p50Ms: at(0.5), p99Ms: at(0.99), perSecond };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
