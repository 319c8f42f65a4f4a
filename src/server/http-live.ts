/**
 * What goes on live, over HTTP: the whole fleet in columns as it changes, and events as they become durable. Both come from a feed that
 * all readers share.
 *
 * W1  A stream ends within LIMITS.feedBeatMs or so of its token's end.
 * W2  Whoever comes back says in `Last-Event-ID` what it has, and goes on from there.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { BanyanError } from "../base/errors.ts";
import type { Runtime } from "../runtime/open.ts";
import type { AccessToken } from "./access-tokens.ts";
import { checkRequest } from "./handlers.ts";
import type { Guard } from "./http-guard.ts";
import { eventMessage, type StreamOptions, writeTaken } from "./http-streams.ts";
import { countCommits } from "./lag.ts";
import { EventFeed } from "./live/event-feed.ts";
import { fleetFeedOf } from "./live/fleet-feed.ts";
import { selectAgent } from "./select.ts";

export interface LiveOptions {
  readonly runtime: Runtime;
  readonly guard: Guard;
  /** Runs one stream to its end; the text that the work returns is the last that the reader gets. */
  readonly stream: (
    reply: FastifyReply,
    type: string,
    work: (options: StreamOptions) => Promise<string>,
  ) => Promise<void>;
  /** An error as readers may see it. */
  readonly problem: (error: unknown) => unknown;
  readonly stopping: AbortSignal;
  /** Events that a reader which takes nothing may lag behind. */
  readonly followEventsMax: number;
}

export function serveLive(
  server: FastifyInstance,
  { runtime, guard, stream, problem, stopping, followEventsMax }: LiveOptions,
): void {
  const { coordinator } = runtime;
  const onBehind = (tell: () => void) => countCommits(coordinator, followEventsMax, tell);
  /** W1. */
  const checkStill = (who: AccessToken) => {
    if (!guard.isStillValid(who)) throw new BanyanError("TOKEN_REFUSED", "the token is valid no longer");
  };
  const failed = (error: unknown, place?: number) => eventMessage("problem", JSON.stringify(problem(error)), place);
  const stopped = (place?: number) => failed(new BanyanError("SHUTTING_DOWN", "the server is stopping"), place);

  const events = new EventFeed(runtime);
  server.get("/v1/events", async (request, reply) => {
    const who = guard.identify(request);
    const { agent: selector, subtree = false, from: after } = checkEvents(request);
    // Said before the stream begins, while it still can be.
    const agent = selector === undefined ? undefined : selectAgent(coordinator.forest, selector);
    let place = after;
    await stream(reply, "text/event-stream", async ({ signal }) => {
      try {
        for await (const { bytes, last, isNews } of events.read({ agent, subtree, after }, signal)) {
          checkStill(who);
          if (isNews) place = last;
          await writeTaken(reply.raw, bytes, { signal, onBehind });
        }
        return stopping.aborted ? stopped(place) : eventMessage("end", "{}", place);
      } catch (error) {
        return failed(error, place);
      }
    });
  });

  const fleet = fleetFeedOf(runtime);
  server.get("/v1/fleet", async (request, reply) => {
    const who = guard.identify(request);
    const after = checkPlace(request.headers["last-event-id"]);
    await stream(reply, "text/event-stream", async ({ signal }) => {
      try {
        for await (const { bytes } of fleet.read(signal, after)) {
          checkStill(who);
          await writeTaken(reply.raw, bytes, { signal });
        }
        return stopping.aborted ? stopped() : "";
      } catch (error) {
        return failed(error);
      }
    });
  });
}

const eventsQuery = z.strictObject({
  agent: z.string().optional(),
  subtree: z.stringbool().optional(),
  from: z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional(),
});

const placeText = z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER).optional();

/** W2. */
function checkPlace(lastEventId: unknown): number | undefined {
  const asked = placeText.safeParse(lastEventId);
  if (!asked.success) throw new BanyanError("INPUT_INVALID", `Last-Event-ID: ${z.prettifyError(asked.error)}`);
  return asked.data;
}

/** W2. */
function checkEvents({ query, headers }: FastifyRequest) {
  const asked = eventsQuery.safeParse({
    ...(query as object),
    ...(headers["last-event-id"] !== undefined && { from: headers["last-event-id"] }),
  });
  if (!asked.success) throw new BanyanError("INPUT_INVALID", `events: ${z.prettifyError(asked.error)}`);
  const wanted = Object.fromEntries(Object.entries(asked.data).filter(([, value]) => value !== undefined));
  return checkRequest("logs", wanted).input as { agent?: string; subtree?: boolean; from?: number };
}
