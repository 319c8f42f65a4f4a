/**
 * A thousand operations on a journal and blobs, for power-loss.ts: run behind the shim, it writes to a file of marks what it is about
 * to do and what was acknowledged, so that both stand in the trace in the order in which they happened.
 *
 *     node test/faults/power-run.ts FOLDER SEED
 */
import { openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../src/base/durable-folder.ts";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { openFsBlobs } from "../../src/blobs/fs/fs-blobs.ts";
import type { Append } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { bytesOf, streamOf } from "../conformance/blobs-world.ts";
import { appendOf, forkOf, idOf } from "../conformance/journal-world.ts";
import { MARKS_FILE, type Mark } from "./power-marks.ts";

const OPERATIONS = 1_000;
const AGENTS = 24;
/** The stores are closed and opened again after so many; the log of the last life grows until it is written back. */
const LIVES = [60, 100, OPERATIONS - 160];

const [root, seed] = [String(process.argv[2]), Number(process.argv[3])];
const random = seededRandom(seed);
const seqs = new Map<string, number>();
let operations = 0;
makeFolder(root);
const marks = openSync(join(root, MARKS_FILE), "a", 0o600);
const mark = (what: Mark) => writeSync(marks, `${JSON.stringify(what)}\n`);

for (const count of LIVES) await live(count);

async function live(count: number): Promise<void> {
  const journal = await openSqliteJournal({ folder: join(root, "journal") });
  const blobs = await openFsBlobs({ folder: join(root, "blobs") });
  const until = operations + count;
  const agents = Array.from({ length: AGENTS }, (_, index) => work(index));
  await Promise.all(agents);
  await journal.close();
  await blobs.close();

  async function work(index: number): Promise<void> {
    while (operations < until) {
      const id = operations;
      operations += 1;
      if (randomInt(random, 10) === 0) await put(id);
      else await append(id, index);
    }
  }

  async function append(id: number, index: number): Promise<void> {
    const appends = appendsOf(id, index);
    mark({ begins: id, appends });
    await journal.append(appends);
    mark({ ends: id });
  }

  async function put(id: number): Promise<void> {
    const length = 1 + randomInt(random, 3_000);
    // Some are cut into chunks.
    const bytes = bytesOf(id, id % 50 === 0 ? 270_000 + length : length);
    const { digest } = await blobs.put(id % 2 === 0 ? bytes : streamOf(bytes, 700));
    mark({ stored: digest });
  }
}

/** The next records of an agent, of two at once, or of a new fork; some with a summary. */
function appendsOf(id: number, index: number): Append[] {
  const own = idOf(index + 1);
  const seq = seqs.get(own) ?? 0;
  const texts = [textOf(id), ...(id % 4 === 0 ? [textOf(id + 1)] : [])];
  const append = { ...appendOf(own, seq, ...texts), ...(id % 5 === 0 && { summary: `{"at":${id}}` }) };
  seqs.set(own, seq + texts.length);
  if (seq === 0 || id % 9 !== 0) return [append];
  return [append, forkOf(idOf(1_000 + id), { agent: own, seq }, textOf(id))];
}

/** Some are longer than a page of the database. */
function textOf(id: number): string {
  return `${id} `.repeat(1 + (id % 20 === 7 ? 4_000 : randomInt(random, 60)));
}
