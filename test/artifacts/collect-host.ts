/**
 * A process that puts, refers and collects until it is killed, for collect-kill.test.ts: a line on stdout for each reference that is durable.
 *
 *     node test/artifacts/collect-host.ts FOLDER SEED
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { collect } from "../../src/artifacts/collect.ts";
import { systemClock } from "../../src/base/clock.ts";
import { makeFolder } from "../../src/base/durable-folder.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { openFsBlobs } from "../../src/blobs/fs/fs-blobs.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { bytesOf, streamOf } from "../conformance/blobs-world.ts";
import { appendOf, idOf } from "../conformance/journal-world.ts";

const [root, seed] = [String(process.argv[2]), Number(process.argv[3])];
const random = seededRandom(seed);
makeFolder(root);
const clock = systemClock();
const journal = await openSqliteJournal({ folder: join(root, "journal") });
const blobs = await openFsBlobs({ folder: join(root, "blobs") });

const agents = Array.from({ length: 4 }, (_, index) => work(idOf(seed * 10 + index + 1)));
await Promise.all([...agents, collecting()]);

/** Half of what is put nobody refers to. */
async function work(agent: string): Promise<never> {
  for (let seq = 0; ; ) {
    const content = randomInt(random, 4_000);
    const bytes = bytesOf(content, content % 40 === 0 ? 300_000 : 20 + content);
    const { digest } = await blobs.put(content % 2 === 0 ? bytes : streamOf(bytes, 9_000));
    if (randomInt(random, 2) === 0) continue;
    await journal.append([appendOf(agent, seq, `{"digest":"${digest}"}`)]);
    seq += 1;
    writeSync(1, `${digest}\n`);
  }
}

async function collecting(): Promise<never> {
  for (;;) await collect({ journal, blobs, clock, graceMs: LIMITS.collectGraceMsMin });
}
