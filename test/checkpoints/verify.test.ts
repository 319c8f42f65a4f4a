/** Verify over the ports: what the stores cannot know is wrong. */
import { describe, expect, test } from "vitest";
import { verifyData } from "../../src/checkpoints/verify.ts";
import type { Journal, JournalHead, StoredRecord } from "../../src/journal/journal.ts";
import { openFleet } from "../support/fleet.ts";

/** The journal as another would have it: sound for the store, with other heads or records. */
function altered(
  journal: Journal,
  {
    head = (it) => it,
    record = (it) => it,
  }: { head?: (it: JournalHead) => JournalHead; record?: (it: StoredRecord) => StoredRecord },
): Journal {
  return Object.assign(Object.create(journal), {
    async *heads() {
      for await (const batch of journal.heads()) yield batch.map(head);
    },
    async *read(...given: Parameters<Journal["read"]>) {
      for await (const batch of journal.read(...given)) yield batch.map(record);
    },
    verify: () => journal.verify(),
  });
}

/** A lead that answered, and a fork of it that answered too. */
async function openForked() {
  const fleet = await openFleet();
  const lead = await fleet.lead();
  const twin = await lead.fork({ name: "twin", task: "hello again" });
  await fleet.became(twin, "waiting message");
  const { journal, blobs } = fleet.banyan.runtime.services;
  return { lead, twin, journal, blobs, [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose]() };
}

test("F1: what forks share is read once", async () => {
  await using forked = await openForked();
  const read: string[] = [];
  const journal = altered(forked.journal, {
    record: (it) => {
      read.push(`${it.agent} ${it.seq}`);
      return it;
    },
  });
  const { ok, events } = await verifyData({ journal, blobs: forked.blobs });
  expect([ok, new Set(read).size, read.length]).toEqual([true, events, events]);
});

describe("named is", () => {
  test("a summary that is not what the journal folds to", async () => {
    await using forked = await openForked();
    const tampered = ({ seq, text }: { seq: number; text: string }) => ({
      seq,
      text: text.replace(/"lead",\d+/, '"lead",99'),
    });
    const journal = altered(forked.journal, {
      head: (it) => (it.agent === forked.lead.id && it.summary ? { ...it, summary: tampered(it.summary) } : it),
    });
    const { damaged } = await verifyData({ journal, blobs: forked.blobs });
    expect(damaged).toEqual([
      { agent: forked.lead.id, seq: forked.lead.head.seq, what: expect.stringContaining("summary") },
    ]);
  });

  test("a summary that is no JSON", async () => {
    await using forked = await openForked();
    const journal = altered(forked.journal, {
      head: (it) => (it.agent === forked.lead.id && it.summary ? { ...it, summary: { ...it.summary, text: "{" } } : it),
    });
    expect((await verifyData({ journal, blobs: forked.blobs })).damaged).toMatchObject([{ agent: forked.lead.id }]);
  });

  test.each([
    ["an event of no known type", { type: "agent.exploded" }, /no event type/],
    ["an event of a newer version", { type: "turn.ended/2" }, /no event type/],
    ["an event that is no JSON", { body: "{" }, /no JSON/],
    ["an event with a wrong field", { body: '{"id":"m","from":{"kind":"robot"},"content":"x"}' }, /from\.kind/],
    ["an event that cannot follow", { type: "turn.ended", body: '{"turn":1}' }, /not valid/],
  ])("%s, and the fork whose past it is in", async (_, change, what) => {
    await using forked = await openForked();
    const journal = altered(forked.journal, {
      record: (it) => (it.agent === forked.lead.id && it.seq === 2 ? { ...it, ...change } : it),
    });
    const { damaged, ok } = await verifyData({ journal, blobs: forked.blobs });
    expect(ok).toBe(false);
    expect(damaged).toEqual([
      { agent: forked.lead.id, seq: 2, what: expect.stringMatching(what) },
      { agent: forked.twin.id, seq: expect.any(Number), what: expect.stringContaining(`its past, ${forked.lead.id}`) },
    ]);
  });

  test("an order that cannot be", async () => {
    await using forked = await openForked();
    const journal = altered(forked.journal, {
      record: (it) =>
        it.agent === forked.lead.id && it.seq === 3 ? { ...it, type: "tool.started", body: '{"callId":"none"}' } : it,
    });
    const { damaged } = await verifyData({ journal, blobs: forked.blobs });
    expect(damaged).toEqual([
      { agent: forked.lead.id, seq: 3, what: expect.stringMatching(/cannot follow: .*open call none/) },
      { agent: forked.twin.id, seq: expect.any(Number), what: expect.stringContaining(`its past, ${forked.lead.id}`) },
    ]);
  });
});
