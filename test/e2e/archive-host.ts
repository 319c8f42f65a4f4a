/**
 * A process that moves agents' records to an archive and back, while it appends to them, until someone kills it:
 *
 *     node test/e2e/archive-host.ts FOLDER SEED
 *
 * It tells of each append in a line of JSON, `{agent, seq}`, once it is durable, and of each move.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { createIds } from "../../src/base/ids.ts";
import { randomInt, seededRandom } from "../../src/base/random.ts";
import { openFsObjects } from "../../src/blobs/fs/fs-objects.ts";
import { bytesOf } from "../../src/blobs/objects.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/sqlite-journal.ts";
import { archivedBody } from "./archived-body.ts";

const AGENTS = 8;
const RECORDS_MAX = 24;

const [folder = "", seed = "1"] = process.argv.slice(2);
const random = seededRandom(Number(seed));
const ids = createIds({ clock: systemClock(), random });
const objects = openFsObjects(join(folder, "archive"));
const archive = {
  put: async (_place: string, key: string, bytes: Uint8Array) => void (await objects.put(key, bytes)),
  get: (_place: string, key: string) => bytesOf(objects.get(key)),
};
const journal = await openSqliteJournal({ folder: join(folder, "journal"), archive });
const { archiving } = journal;
const ends = new Map<string, number>();
for await (const heads of journal.heads()) for (const { agent, seq } of heads) ends.set(agent, seq);
while (ends.size < AGENTS) ends.set(ids(), 0);
const tell = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);

async function work(): Promise<void> {
  const agents = [...ends.keys()];
  const agent = agents[randomInt(random, agents.length)] ?? "";
  const seq = ends.get(agent) ?? 0;
  const records = Array.from({ length: 1 + randomInt(random, RECORDS_MAX) }, (_, index) => {
    return { time: 1, type: "said", body: archivedBody(agent, seq + index + 1) };
  });
  await journal.append([{ agent, expectedSeq: seq, records }]);
  ends.set(agent, seq + records.length);
  tell({ agent, seq: seq + records.length });
}

async function move(): Promise<void> {
  const moved = new Set(archiving?.parts().map(({ root }) => root));
  const written = [...ends].filter(([, seq]) => seq > 0).map(([agent]) => agent);
  const root = written[randomInt(random, written.length)];
  if (root === undefined) return;
  if (moved.has(root) && randomInt(random, 3) === 0) {
    for await (const { key } of archiving?.bringBack(root) ?? []) {
      tell({ back: key });
      await objects.delete(key);
    }
    return;
  }
  for await (const { key } of archiving?.moveOut(root, [root], "") ?? []) tell({ out: key });
}

for (;;) await Promise.all([move(), work()]);
