/** Logs: who belongs, in which order, and when following ends. */
import { describe, expect, test } from "vitest";
import { type EventsWanted, type FollowedEvent, loggedEvents } from "../../src/runtime/events.ts";
import { type Fleet, openFleet } from "../support/fleet.ts";

async function collect(
  fleet: Fleet,
  wanted: Partial<EventsWanted>,
  until = Number.POSITIVE_INFINITY,
): Promise<FollowedEvent[]> {
  const got: FollowedEvent[] = [];
  const defaults = {
    agent: undefined,
    subtree: false,
    after: undefined,
    follow: false,
    signal: new AbortController().signal,
  };
  for await (const batch of loggedEvents(fleet.banyan.runtime, { ...defaults, ...wanted })) {
    got.push(...batch);
    if (got.length >= until) break;
  }
  return got;
}

const agentsOf = (events: FollowedEvent[]) => new Set(events.map(({ agent }) => agent));

describe("what is durable already", () => {
  test("of all, of one agent, of a subtree, each in the order of positions, without a gap", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    const kid = await lead.spawn({ name: "kid", task: "hello" });
    await kid.result();
    const other = await fleet.lead("other");
    await fleet.became(lead, "waiting message");

    const all = await collect(fleet, {});
    expect(all.map(({ position }) => position)).toEqual(all.map((_, index) => index + 1));
    expect(agentsOf(all)).toEqual(new Set([lead.id, kid.id, other.id]));

    const own = await collect(fleet, { agent: kid.id });
    expect(own).toEqual(all.filter(({ agent }) => agent === kid.id));
    expect(own.map(({ seq }) => seq)).toEqual(own.map((_, index) => index + 1));

    const tree = await collect(fleet, { agent: lead.id, subtree: true });
    expect(tree).toEqual(all.filter(({ agent }) => agent !== other.id));

    const middle = all[5]?.position ?? 0;
    expect(await collect(fleet, { after: middle })).toEqual(all.slice(6));
    expect(await collect(fleet, { agent: kid.id, after: all.length })).toEqual([]);
    expect(await collect(fleet, { after: 1_000_000 })).toEqual([]);
  });

  test("a fork's log begins with the fork", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    const twin = await lead.fork({ name: "twin" });
    const [first] = await collect(fleet, { agent: twin.id });
    expect(first).toMatchObject({ agent: twin.id, seq: lead.head.seq + 1, event: { type: "agent.forked" } });
  });
});

describe("following", () => {
  test("G1: sees children that are born meanwhile, and theirs, from their first event on", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    const following = collect(fleet, { agent: lead.id, subtree: true, follow: true });
    const kid = await lead.spawn({ name: "kid", task: "wait" });
    const grandkid = await kid.spawn({ name: "grandkid", task: "wait" });
    await fleet.lead("other");
    await lead.cancel();
    const events = await following;
    expect(agentsOf(events)).toEqual(new Set([lead.id, kid.id, grandkid.id]));
    for (const { id } of [kid, grandkid]) {
      expect(events.filter(({ agent }) => agent === id)[0]).toMatchObject({ seq: 1, event: { type: "agent.created" } });
    }
  });

  test("G2: ends when the agent has ended, with its last event", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    const kid = await lead.spawn({ name: "kid", task: "hello" });
    const events = await collect(fleet, { agent: kid.id, follow: true });
    expect(events.at(-1)).toMatchObject({ event: { type: "agent.completed" } });
  });

  test("G2: ends at once for an agent that has ended, from wherever it is followed", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    const kid = await lead.spawn({ name: "kid", task: "hello" });
    await kid.result();
    const all = await collect(fleet, { agent: kid.id, follow: true });
    expect(await collect(fleet, { agent: kid.id, follow: true, after: all.at(-1)?.position })).toEqual([]);
  });

  test("G2: goes on over an end that was not the last", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    const kid = await lead.spawn({ name: "kid", task: "hello" });
    await kid.result();
    await kid.send("again");
    await kid.result();
    const events = await collect(fleet, { agent: kid.id, follow: true });
    expect(events.filter(({ event }) => event.type === "agent.completed")).toHaveLength(2);
  });

  test("G2: of a subtree, has the ends that an end brings about, at every level", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    const kid = await lead.spawn({ name: "kid", task: "wait" });
    const grandkid = await kid.spawn({ name: "grandkid", task: "wait" });
    const following = collect(fleet, { agent: lead.id, subtree: true, follow: true });
    await lead.cancel();
    const ends = (await following).filter(({ event }) => event.type === "agent.cancelled").map(({ agent }) => agent);
    expect(new Set(ends)).toEqual(new Set([lead.id, kid.id, grandkid.id]));
  });

  test("G2: ends for an agent about which something was noted after its end", async () => {
    await using fleet = await openFleet();
    const kid = await (await fleet.lead()).spawn({ name: "kid", task: "hello" });
    await kid.result();
    await kid.checkpoint("for later");
    await kid.setBudget({ costUsd: 1 });
    const events = await collect(fleet, { agent: kid.id, follow: true });
    expect(events.slice(-2).map(({ event }) => event.type)).toEqual(["checkpoint.named", "budget.set"]);
  });

  test("G2: ends though others write without end", async () => {
    await using fleet = await openFleet();
    const [lead, busy] = [await fleet.lead(), await fleet.lead("busy")];
    const kid = await lead.spawn({ name: "kid", task: "hello" });
    let ended = false;
    const chatter = (async () => {
      for (let number = 0; !ended; number++) await busy.checkpoint(`point ${number % 10}`);
    })();
    const events = await collect(fleet, { agent: kid.id, follow: true });
    ended = true;
    await chatter;
    expect(events.at(-1)).toMatchObject({ event: { type: "agent.completed" } });
  });

  test("an agent that went on after its end is followed without waiting for the next one", async () => {
    await using fleet = await openFleet();
    const kid = await (await fleet.lead()).spawn({ name: "kid", task: "hello" });
    await kid.result();
    await kid.send("wait");
    await fleet.became(kid, "running");
    const seen: string[] = [];
    for await (const { event } of kid.events()) {
      seen.push(event.type);
      if (seen.at(-1) === "turn.started" && seen.filter((type) => type === "turn.started").length === 2) break;
    }
    expect(seen.slice(-4)).toEqual(["agent.completed", "agent.revived", "message.received", "turn.started"]);
  });

  test("ends without an error when nobody waits for it any more", async () => {
    await using fleet = await openFleet();
    const lead = await fleet.lead();
    const abort = new AbortController();
    const following = collect(fleet, { agent: lead.id, follow: true, signal: abort.signal });
    abort.abort();
    expect((await following).length).toBeLessThanOrEqual(lead.head.seq);
  });
});
