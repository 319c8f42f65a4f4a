/** Following: all records in the order in which they became durable, from any position, none twice and none left out (J6). */
import { expect, test } from "vitest";
import { presentIsOver } from "../../src/base/event-loop.ts";
import { appendOf, forkOf, idOf, type MakeWorld, orderFrom, readAll, takeUntil, withJournal } from "./journal-world.ts";

const [a, b, c] = [idOf(1), idOf(2), idOf(3)] as const;

export function followSuite(make: MakeWorld): void {
  const inJournal = (use: Parameters<typeof withJournal>[1]) => withJournal(make, use);

  test(
    "J6: positions have no gaps, and an append's records stand together",
    inJournal(async (journal) => {
      const writers = [a, b, c].map(async (agent) => {
        for (let seq = 0; seq < 60; seq += 3)
          await journal.append([appendOf(agent, seq, `${seq}`, `${seq}`, `${seq}`)]);
      });
      await Promise.all(writers);
      const all = await orderFrom(journal);
      expect(all.map(({ position }) => position)).toEqual(Array.from({ length: 180 }, (_, index) => index + 1));
      for (let at = 0; at < all.length; at += 3) {
        const [first, ...others] = all.slice(at, at + 3);
        for (const other of others) expect([other.agent, other.body]).toEqual([first?.agent, first?.body]);
      }
    }),
  );

  test(
    "J6: followers from any position get the same records, while appends go on, slow as they may be",
    inJournal(async (journal) => {
      const agents = Array.from({ length: 8 }, (_, index) => idOf(index + 1));
      const total = agents.length * 100;
      const follow = (position: number, slow: boolean) =>
        takeUntil(journal, position, ({ position: at }) => at === total).then(async (records) => {
          if (slow) await presentIsOver();
          return records.map(({ position: at }) => at);
        });
      await Promise.all(agents.map((agent) => journal.append([appendOf(agent, 0, "first")])));
      const starts = [0, 0, 1, 5, 100, 399, 650, total - 1];
      const followers = starts.map((start, index) => follow(start, index % 2 === 0));
      const slow = slowly(journal.follow(0, AbortSignal.any([])), total);
      await Promise.all(
        agents.map(async (agent) => {
          for (let seq = 1; seq < 100; seq += 1) await journal.append([appendOf(agent, seq, `${seq}`)]);
        }),
      );
      const from = (start: number) => Array.from({ length: total - start }, (_, index) => start + index + 1);
      for (const [index, follower] of followers.entries())
        expect(await follower).toEqual(from(starts[index] as number));
      expect(await slow).toEqual(from(0));
    }),
  );

  test(
    "J6: what a follower gets is what readers read",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, "1", "2"), appendOf(b, 0, "1")]);
      await journal.append([forkOf(c, { agent: a, seq: 1 }, "2c"), appendOf(a, 2, "3")]);
      const followed = await orderFrom(journal);
      for (const agent of [a, b, c]) {
        expect(followed.filter((record) => record.agent === agent)).toEqual(await readAll(journal, agent));
      }
      expect(await orderFrom(journal, 3)).toEqual(followed.slice(3));
    }),
  );

  test(
    "a follower waits for news, and leaves when it is told to or the journal closes",
    inJournal(async (journal) => {
      await journal.append([appendOf(a, 0, "1")]);
      const next = takeUntil(journal, 1, () => true);
      await journal.append([appendOf(a, 1, "2")]);
      expect((await next).map(({ body }) => body)).toEqual(["2"]);

      const stop = new AbortController();
      const waiting = journal.follow(2, stop.signal)[Symbol.asyncIterator]().next();
      stop.abort();
      expect(await waiting).toEqual({ done: true, value: undefined });
      const aborted = journal.follow(0, AbortSignal.abort())[Symbol.asyncIterator]().next();
      expect(await aborted).toEqual({ done: true, value: undefined });

      const left = journal.follow(2, new AbortController().signal)[Symbol.asyncIterator]().next();
      await journal.close();
      expect(await left).toEqual({ done: true, value: undefined });
    }),
  );
}

/** Takes one record at a time and lets everything else run in between. */
async function slowly(batches: AsyncIterable<{ position: number }[]>, last: number): Promise<number[]> {
  const positions: number[] = [];
  for await (const batch of batches) {
    for (const { position } of batch) {
      positions.push(position);
      await presentIsOver();
      if (position === last) return positions;
    }
  }
  return positions;
}
