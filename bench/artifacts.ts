/**
 * Whether the store of blobs slows down as it fills: puts and gets of 4 KiB and 256 KiB into an empty store, and into the same store once it
 * holds many blobs and gigabytes, with the memory of the process and the time of an opening. Prints one JSON line a store.
 *
 * `node bench/artifacts.ts [--blobs 1000000] [--gigabytes 10] [--samples 2000] [--stores banyan,files,cacache] [--data DIR]`
 *
 * The full size needs 15 GB of disk and a million inodes for each store, one after the other, in `--data` (default: a temporary
 * folder, removed at the end). `files` writes plain files without a sync, named by their number in 256 folders: what the file
 * system alone does. `cacache` is npm's store, without a sync too. Ratios are of the full store to the empty one of the same run.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
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
    await mkdir(folder, { recursive: true });
    console.log(
      JSON.stringify({ store: name, blobs, gigabytes, ...(await measure(() => open(folder))), load: loadavg()[0] }),
    );
    await rm(folder, { recursive: true, force: true });
  }
} finally {
  await rm(root, { recursive: true, force: true });
}

async function measure(open: () => Promise<Store>) {
  let store = await open();
  let made = 0;
  const next = (size: number) => {
    made += 1;
    const bytes = Uint8Array.from(NOISE.subarray(0, size));
    new DataView(bytes.buffer).setUint32(0, made);
    return { bytes, name: String(made) };
  };
  const sample = async (size: number) => {
    const ids: string[] = [];
    const put = await timed(size === SMALL_BYTES ? samples : samples / 10, async () => {
      const { bytes, name } = next(size);
      ids.push(await store.put(bytes, name));
    });
    let at = 0;
    const get = await timed(ids.length, async () => store.get(ids[at++] as string));
    return { put, get };
  };
  await sample(SMALL_BYTES); // Code and caches grow warm.
  const empty = { small: await sample(SMALL_BYTES), large: await sample(LARGE_BYTES) };
  const emptyRss = process.memoryUsage().rss;

  const large = Math.max(0, Math.round((gigabytes * 1e9 - blobs * SMALL_BYTES) / (LARGE_BYTES - SMALL_BYTES)));
  const fill = await timed(blobs, async () => {
    const { bytes, name } = next(
      made % Math.max(1, Math.ceil(blobs / Math.max(1, large))) === 0 ? LARGE_BYTES : SMALL_BYTES,
    );
    await store.put(bytes, name);
  });
  await store.close();
  const startMs = performance.now();
  store = await open();
  await store.get((await store.put(NOISE.subarray(0, SMALL_BYTES), "0")) as string);
  const openMs = performance.now() - startMs;

  const full = { small: await sample(SMALL_BYTES), large: await sample(LARGE_BYTES) };
  const rssMb = [emptyRss, process.memoryUsage().rss].map((bytes) => Math.round(bytes / 1e6));
  await store.close();
  return {
    empty,
    full,
    ratios: { small: ratios(empty.small, full.small), large: ratios(empty.large, full.large) },
    fill,
    openMs: round(openMs),
    rssMb,
  };
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

function ratios(empty: { put: Timed; get: Timed }, full: { put: Timed; get: Timed }) {
  const of = (one: Timed, other: Timed) => ({
    p50: round(other.p50Ms / one.p50Ms),
    p99: round(other.p99Ms / one.p99Ms),
    perSecond: round(other.perSecond / one.perSecond),
  });
  return { put: of(empty.put, full.put), get: of(empty.get, full.get) };
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
