/** A journal with a bit of everything, what it holds, and copies of its files to be damaged. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Journal, JournalHead, StoredRecord } from "../../../src/journal/journal.ts";
import { openSqliteJournal } from "../../../src/journal/sqlite/sqlite-journal.ts";
import { appendOf, forkOf, headsOf, idOf, orderFrom, readAll } from "../../conformance/journal-world.ts";

export interface Sample {
  readonly folder: string;
  readonly agents: readonly string[];
  /** What each agent's journal holds. */
  readonly records: ReadonlyMap<string, readonly StoredRecord[]>;
  readonly heads: readonly JournalHead[];
  readonly order: readonly StoredRecord[];
  /** A copy of the folder that nothing has open. */
  copy(): string;
  remove(): void;
}

/** Five agents and two forks, one of them a fork's, with texts of all lengths, appended in turns; closed. */
export async function makeSample({ rounds = 25 }: { rounds?: number } = {}): Promise<Sample> {
  const root = mkdtempSync(join(tmpdir(), "banyan-sample-"));
  const folder = join(root, "sample");
  const journal = await openSqliteJournal({ folder });
  const seqs = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    for (let agent = 1; agent <= 5; agent += 1) await appendTo(journal, seqs, idOf(agent), round * 7 + agent);
  }
  await journal.append([forkOf(idOf(6), { agent: idOf(2), seq: 10 }, textOf(3), textOf(900))]);
  await journal.append([forkOf(idOf(7), { agent: idOf(6), seq: 12 }, textOf(40))]);
  const agents = Array.from({ length: 7 }, (_, index) => idOf(index + 1));
  const records = new Map<string, StoredRecord[]>();
  for (const agent of agents) records.set(agent, await readAll(journal, agent));
  const [heads, order] = [await headsOf(journal), await orderFrom(journal)];
  await journal.close();
  let copies = 0;
  return {
    folder,
    agents,
    records,
    heads,
    order,
    copy() {
      copies += 1;
      const target = join(root, `copy-${copies}`);
      cpSync(folder, target, { recursive: true });
      return target;
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

async function appendTo(journal: Journal, seqs: Map<string, number>, agent: string, step: number): Promise<void> {
  const seq = seqs.get(agent) ?? 0;
  const texts = [textOf(step * 11), textOf(step)];
  const summary = step % 3 === 0 ? { summary: `{"agent":"${agent}","step":${step}}` } : {};
  await journal.append([{ ...appendOf(agent, seq, ...texts), ...summary }]);
  seqs.set(agent, seq + texts.length);
}

/** Every fiftieth text is longer than a page. */
function textOf(step: number): string {
  const length = step % 50 === 0 ? 20_000 : 20 + ((step * 37) % 1_500);
  return `${step} `.repeat(Math.ceil(length / 4)).slice(0, length);
}
