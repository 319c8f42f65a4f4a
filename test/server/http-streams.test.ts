/** Streams over HTTP with readers that take nothing. */
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { eventMessage, writeTaken } from "../../src/server/http-streams.ts";

/** A reader that takes nothing until it says `drain`. */
function fullResponse(): ServerResponse {
  return Object.assign(new EventEmitter(), { destroyed: false, write: () => false }) as unknown as ServerResponse;
}

const never = new AbortController().signal;

test("a message is an event of one line, with its place where it has one", () => {
  expect(eventMessage("events", "[1]", 7)).toBe("id: 7\nevent: events\ndata: [1]\n\n");
  expect(eventMessage("end", "{}")).toBe("event: end\ndata: {}\n\n");
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
