/** Events as they become durable, told by one feed to many readers. */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LoggedEvent } from "../../../src/server/contract/agent.ts";
import { messageData } from "../../../src/server/http-streams.ts";
import { EventFeed, type EventsFollowed } from "../../../src/server/live/event-feed.ts";
import { type Fleet, openFleet } from "../../support/fleet.ts";

let fleet: Fleet;
let gone: AbortController;

beforeEach(async () => {
  fleet = await openFleet();
  gone = new AbortController();
});

afterEach(async () => {
  gone.abort();
  await fleet[Symbol.asyncDispose]();
});

const open = (charactersMax?: number) => new EventFeed(fleet.banyan.runtime, { charactersMax });
const all = { agent: undefined, subtree: false, after: undefined };
const position = () => fleet.banyan.runtime.services.journal.position();

/** One reader, and the events that it was told. */
class Reader {
  readonly events: LoggedEvent[] = [];
  readonly #told: ReturnType<EventFeed["read"]>;

  constructor(feed: EventFeed, wanted: Partial<EventsFollowed> = {}) {
    this.#told = feed.read({ ...all, ...wanted }, gone.signal);
  }

  /** Takes the next message; the bytes, or undefined at the end. */
  async take(): Promise<Buffer | undefined> {
    const { value } = await this.#told.next();
    if (!value) return undefined;
    const { bytes, last, isNews } = value;
    if (!isNews) expect(bytes.toString()).toBe(":\n\n");
    else this.events.push(...(messageData(bytes) as LoggedEvent[]));
    expect(this.events.at(-1)?.position ?? 0).toBeLessThanOrEqual(last);
    return bytes;
  }

  /** Takes until it knows an event at that position. */
  async until(end: number): Promise<void> {
    while ((this.events.at(-1)?.position ?? 0) < end) await this.take();
  }

  async leave(): Promise<void> {
    await this.#told.return(undefined);
  }
}

async function logged(wanted: { agent?: string; subtree?: boolean } = {}): Promise<LoggedEvent[]> {
  const { connect } = await import("../../../src/client.ts");
  await using client = await connect(fleet.folder);
  return client.logs(wanted).toArray();
}

test("V1: every event once, in order, for readers from the beginning, from the middle and from now", async () => {
  const lead = await fleet.lead();
  const feed = open();
  const middle = Math.floor((await position()) / 2);
  const readers = [
    new Reader(feed),
    new Reader(feed, { after: middle }),
    new Reader(feed, { after: await position() }),
  ];
  const [first] = readers;
  await first?.take();
  for (let round = 0; round < 5; round++) {
    await lead.send(`again ${round}\nwith a line of its own`);
    await fleet.became(lead, "waiting message");
  }
  const end = await position();
  for (const reader of readers) await reader.until(end);
  const truth = await logged();
  expect(first?.events).toEqual(truth);
  expect(readers[1]?.events).toEqual(truth.filter((event) => event.position > middle));
  expect(truth.slice(-(readers[2]?.events.length ?? 0))).toEqual(readers[2]?.events);
});

test("V1: of a subtree, with those that are born meanwhile", async () => {
  const lead = await fleet.lead();
  await fleet.lead("other");
  const feed = open();
  const reader = new Reader(feed, { agent: lead.id, subtree: true });
  await reader.take();
  const child = await lead.spawn({ name: "child", model: fleet.model, task: "hello" });
  await fleet.became(child, "completed");
  await reader.until((await logged({ agent: child.id })).at(-1)?.position ?? 0);
  const truth = await logged({ agent: lead.id, subtree: true });
  expect(reader.events).toEqual(truth.slice(0, reader.events.length));
});

test("what all readers of all events are told is made once", async () => {
  const lead = await fleet.lead();
  const feed = open();
  const after = await position();
  const readers = [new Reader(feed, { after }), new Reader(feed, { after })];
  const taken = readers.map((reader) => reader.take());
  await lead.send("again");
  const [one, two] = await Promise.all(taken);
  expect(one).toBeDefined();
  expect(one).toBe(two);
});

test("ends when the agent that is followed has ended, with its last event", async () => {
  const agent = await fleet.banyan.spawn({ name: "short", model: fleet.model, task: "hello" });
  const reader = new Reader(open(), { agent: agent.id });
  while (await reader.take());
  expect(reader.events).toEqual(await logged({ agent: agent.id }));
  expect(reader.events.at(-1)?.event.type).toBe("agent.completed");
});

test("V2: a reader that lags behind what is kept is told, and may go on from its place", async () => {
  const lead = await fleet.lead();
  const feed = open(1);
  const [steady, slow] = [new Reader(feed), new Reader(feed)];
  // Who hears a beat has read what was there before, and follows live.
  for (const reader of [steady, slow]) while ((await reader.take())?.toString() !== ":\n\n");
  for (let round = 0; round < 3; round++) {
    await lead.send("again");
    await fleet.became(lead, "waiting message");
    await steady.until(await position());
  }
  await expect(slow.take().then(() => "told")).rejects.toMatchObject({ code: "READER_BEHIND" });
  const back = new Reader(feed, { after: slow.events.at(-1)?.position });
  await back.until(await position());
  expect([...slow.events, ...back.events]).toEqual(steady.events);
});

test("V3: while nobody reads nothing is followed, and the next reader misses nothing", async () => {
  const lead = await fleet.lead();
  const feed = open();
  const first = new Reader(feed);
  await first.until(await position());
  await first.leave();
  await lead.send("while nobody reads");
  await fleet.became(lead, "waiting message");
  const second = new Reader(feed, { after: first.events.at(-1)?.position });
  await second.until(await position());
  expect([...first.events, ...second.events]).toEqual(await logged());
});

test("V4: a reader hears that the stream lives when nothing happens", async () => {
  await fleet.lead();
  const reader = new Reader(open(), { after: await position() });
  expect((await reader.take())?.toString()).toBe(":\n\n");
});

test("a journal that is closed ends the stream with a reason", async () => {
  await fleet.lead();
  const reader = new Reader(open());
  await reader.until(await position());
  const taken = expect(reader.take()).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
  await fleet.banyan.close();
  await taken;
});
