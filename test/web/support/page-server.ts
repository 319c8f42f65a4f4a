/** The built page with a fleet behind it that a test has in its hand: the feed as the server sends it, and the operations that a page asks. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock, type Timer } from "../../../src/base/clock.ts";
import type { AgentsFrame, ChangesFrame } from "../../../src/fleet/frames.ts";
import { PAGE_POLICY, readPage } from "../../../src/server/page-files.ts";
import type { GeneratedFleet } from "../../support/generated-fleet.ts";

export interface Asked {
  readonly name: string;
  readonly input: Record<string, unknown>;
}

export interface PageServer extends AsyncDisposable {
  readonly url: string;
  /** What the page has asked for, in order. */
  readonly asked: readonly Asked[];
  /** Operations by name; a list is answered as many items. */
  readonly answers: Record<string, (input: Record<string, unknown>) => unknown>;
  tell(frame: ChangesFrame): void;
  /** The connection breaks; the next one is given all agents. */
  cut(): void;
  /** As a reader is told that was too slow: all agents follow. */
  miss(): void;
  /** The feed says no more, and is not closed. */
  silence(): void;
  /** Without a session from now on. */
  refuse(): void;
}

const BEAT_MS = 500;

export async function servePage(folder: string, fleet: GeneratedFleet): Promise<PageServer> {
  const files = readPage(folder);
  const asked: Asked[] = [];
  const answers: PageServer["answers"] = {};
  const readers = new Set<ServerResponse>();
  let [silent, refusing] = [false, false];
  const send = (response: ServerResponse, type: string, data: AgentsFrame | ChangesFrame | { time: number }) =>
    response.write(`id: ${"position" in data ? data.position : 0}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  const clock = systemClock();
  let timer: Timer | undefined;
  const beat = () => {
    if (!silent) for (const reader of readers) send(reader, "beat", { time: fleet.timeMs });
    timer = clock.timer(BEAT_MS, beat);
  };
  beat();

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const path = new URL(request.url ?? "/", "http://page").pathname;
    if (path === "/v1/session") {
      refusing = false;
      return json(response, 200, { name: "test", role: "admin" });
    }
    if (path.startsWith("/v1/") && refusing)
      return json(response, 401, { detail: "no session", code: "TOKEN_REFUSED" });
    if (path === "/v1/fleet") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const frame of fleet.frames()) send(response, "agents", frame);
      readers.add(response);
      request.once("close", () => readers.delete(response));
      return;
    }
    if (path.startsWith("/v1/")) {
      const name = path.slice("/v1/".length);
      const input = JSON.parse(await bodyOf(request)) as Record<string, unknown>;
      asked.push({ name, input });
      const answer = answers[name]?.(input);
      if (Array.isArray(answer)) {
        response.writeHead(200, { "content-type": "application/x-ndjson" });
        response.end(`${answer.map((item) => `${JSON.stringify({ item })}\n`).join("")}{"end":true}\n`);
      } else if (answer === undefined)
        json(response, 400, { detail: `${name} is not answered here`, code: "INPUT_INVALID" });
      else json(response, 200, answer);
      return;
    }
    const file = files.get(path) ?? files.get("/");
    response.writeHead(200, { "content-type": file?.type ?? "", "content-security-policy": PAGE_POLICY });
    response.end(file?.bytes);
  };
  const server = createServer((request, response) => void handle(request, response));
  const listens = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listens.resolve);
  await listens.promise;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answers,
    tell: (frame) => {
      for (const reader of readers) send(reader, "changes", frame);
    },
    cut: () => {
      for (const reader of readers) reader.destroy();
    },
    miss: () => {
      for (const reader of readers) {
        send(reader, "missed", { time: fleet.timeMs });
        for (const frame of fleet.frames()) send(reader, "agents", frame);
      }
    },
    silence: () => {
      silent = true;
    },
    refuse: () => {
      refusing = true;
      for (const reader of readers) reader.end();
    },
    [Symbol.asyncDispose]: async () => {
      timer?.cancel();
      server.closeAllConnections();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const piece of request) body += String(piece);
  return body === "" ? "{}" : body;
}
