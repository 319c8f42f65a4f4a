/** Damages a stream of events as a fault says. Faults that are no part of a stream leave it whole. */
import { ApiError } from "./api-error.ts";
import type { Fault } from "./faults.ts";
import { errorEvent, type StreamEvent } from "./stream.ts";

/** After message_start, ping and content_block_start: in the middle of the first block. */
const EVENTS_BEFORE_DEFAULT = 3;

/** An answer that is not streamed is one event. */
export function damaged(
  events: Iterable<StreamEvent>,
  fault: Fault | undefined,
  { requestId, stream }: { requestId: string; stream: boolean },
): Iterable<StreamEvent> {
  switch (fault?.kind) {
    case "cut":
      return fault.afterBytes === undefined
        ? cutAfterEvents(events, fault.afterEvents ?? EVENTS_BEFORE_DEFAULT)
        : cutAfterBytes(events, fault.afterBytes);
    case "garbage":
      return garbled(events, stream ? (fault.afterEvents ?? EVENTS_BEFORE_DEFAULT) : 0);
    case "errorEvent":
      return failing(events, fault.afterEvents ?? EVENTS_BEFORE_DEFAULT, requestId);
    default:
      return events;
  }
}

function* cutAfterEvents(events: Iterable<StreamEvent>, count: number): Generator<StreamEvent> {
  let seen = 0;
  for (const event of events) {
    seen++;
    yield seen >= count ? { ...event, cut: true } : event;
  }
}

/** Bytes of UTF-8; the simulator's own texts are ASCII, so a cut inside a character only happens inside the model's words. */
function* cutAfterBytes(events: Iterable<StreamEvent>, bytesMax: number): Generator<StreamEvent> {
  let left = bytesMax;
  for (const event of events) {
    const bytes = Buffer.from(event.text);
    if (bytes.length >= left) {
      yield { text: bytes.subarray(0, left).toString(), tokens: event.tokens, cut: true };
      return;
    }
    left -= bytes.length;
    yield event;
  }
}

/** The event at that place loses the end of its JSON. */
function* garbled(events: Iterable<StreamEvent>, place: number): Generator<StreamEvent> {
  let seen = 0;
  for (const event of events) {
    yield seen === place ? { ...event, text: `${event.text.slice(0, -12)}\n\n` } : event;
    seen++;
  }
}

function* failing(events: Iterable<StreamEvent>, count: number, requestId: string): Generator<StreamEvent> {
  let seen = 0;
  for (const event of events) {
    if (seen === count) break;
    yield event;
    seen++;
  }
  yield errorEvent(new ApiError("overloaded_error", "Overloaded").toBody(requestId));
}
