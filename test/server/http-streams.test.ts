/** Streams over HTTP with a clock that stands still and readers that take nothing. */
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { ManualClock } from "../../src/base/clock.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { coalesced, writeTaken } from "../../src/server/http-streams.ts";

/** A reader that takes nothing until it says `drain`. */
function fullResponse(): ServerResponse {
  return Object.assign(new EventEmitter(), { destroyed: false, write: () => false }) as unknown as ServerResponse;
}

const never = new AbortController().signal;

test("S3: events that come within the time are one message, and wait for it no longer", async () => {
  const clock = new ManualClock();
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const source = (async function* () {
    yield [1];
    yield [2, 3];
    asked.resolve();
    await held.promise;
    yield [4];
  })();
  const messages = coalesced(source, clock);
  const first = messages.next();
  await asked.promise;
  clock.advance(LIMITS.httpCoalesceMs);
  expect((await first).value).toEqual([1, 2, 3]);
  held.resolve();
  expect((await messages.next()).value).toEqual([4]);
  expect((await messages.next()).done).toBe(true);
  expect(clock.pending).toBe(0);
});

test("S3: as many as a message holds are sent at once", async () => {
  const source = (async function* () {
    for (;;) yield Array.from({ length: LIMITS.httpCoalesceEventsMax / 2 }, (_, at) => at);
  })();
  const { value } = await coalesced(source, new ManualClock()).next();
  expect(value).toHaveLength(LIMITS.httpCoalesceEventsMax);
});

test("S1: writing waits until the reader has taken it, or has gone", async () => {
  for (const event of ["drain", "close"]) {
    const response = fullResponse();
    const written = writeTaken(response, "text", { signal: never });
    response.emit(event);
    await written;
    expect(response.eventNames()).toEqual([]);
  }
});

test("S2: a reader that lags too far behind is refused, and nothing listens on", async () => {
  const response = fullResponse();
  let tell: () => void = () => undefined;
  let forgotten = false;
  const onBehind = (told: () => void) => {
    tell = told;
    return () => {
      forgotten = true;
    };
  };
  const written = writeTaken(response, "text", { signal: never, onBehind });
  tell();
  await expect(written).rejects.toMatchObject({ code: "READER_BEHIND" });
  expect([forgotten, response.eventNames()]).toEqual([true, []]);
});
