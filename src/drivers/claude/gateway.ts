/**
 * The only provider that Claude Code knows: a server on loopback. Each of its model calls is parked here until the agent's turn has
 * started, and gets its answer from what the journal holds. So nothing is sent to the provider but by a turn, the provider's key
 * never reaches the program or what it runs, and a rate limit, an interrupt or a hold leaves the program waiting, not failed.
 *
 * W1  A request is handed to the session whose token it carries, and to no other; one without a token is refused.
 * W2  A request is answered once, and whole. A session has one that waits; a further one is refused.
 * W3  A subagent's request is answered at once, with what the session says, or refused. None is handed on.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";

/** A model call of Claude Code that waits for its answer. */
export interface Parked {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The program gave it up, or is gone. */
  readonly isGone: boolean;
  /** Server-sent events, whole. */
  answer(events: string): void;
}

/** Where the requests of one session arrive. */
export interface Line {
  readonly url: string;
  readonly token: string;
  /** The next request; one at a time. */
  next(): Promise<Parked>;
  close(): void;
}

interface OpenLine {
  isTaken(): boolean;
  hand(parked: Parked): void;
  readonly forSubagent: ForSubagent;
}

/** The events that answer the request of a subagent; undefined for one that is not known. */
export type ForSubagent = (body: string) => string | undefined;

export class Gateway {
  readonly #clock: Clock;
  readonly #lines = new Map<string, OpenLine>();
  #listening: Promise<Server> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `token` is a secret of the session. */
  async open(token: string, forSubagent: ForSubagent): Promise<Line> {
    this.#listening ??= this.#listen();
    const server = await this.#listening;
    let arrived: Parked | undefined;
    let wanted: ((parked: Parked) => void) | undefined;
    this.#lines.set(token, {
      forSubagent,
      isTaken: () => arrived !== undefined && !arrived.isGone,
      hand: (parked) => {
        if (wanted) wanted(parked);
        else arrived = parked;
        wanted = undefined;
      },
    });
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token,
      next: () => {
        const parked = arrived;
        arrived = undefined;
        if (parked && !parked.isGone) return Promise.resolve(parked);
        return new Promise((resolve) => {
          wanted = resolve;
        });
      },
      close: () => {
        this.#lines.delete(token);
        if (this.#lines.size === 0) this.#stop();
      },
    };
  }

  #listen(): Promise<Server> {
    const server = createServer((request, response) => void this.#receive(request, response));
    // Requests stay open for as long as a hold lasts.
    server.requestTimeout = 0;
    server.unref();
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve(server));
    });
  }

  #stop(): void {
    void this.#listening?.then((server) => {
      server.close();
      server.closeAllConnections();
    });
    this.#listening = undefined;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = String(request.headers["x-api-key"]);
    const line = this.#lines.get(token);
    const isCall = request.method === "POST" && request.url?.split("?")[0] === "/v1/messages";
    const body = isCall && line ? await read(request) : undefined;
    if (body !== undefined && line && request.headers[SUBAGENT_HEADER] !== undefined) {
      const events = line.forSubagent(body);
      if (events === undefined) return refuse(response, 404);
      response.writeHead(200, STREAM);
      response.end(events);
      return;
    }
    if (body === undefined || !line || line.isTaken()) {
      request.resume();
      return refuse(response, line ? 404 : 401);
    }
    response.writeHead(200, STREAM);
    line.hand(this.#park(request, response, body));
  }

  #park(request: IncomingMessage, response: ServerResponse, body: string): Parked {
    let beat = this.#keepOpen(response);
    const stop = () => beat?.cancel();
    response.once("close", stop);
    return {
      body,
      headers: passedOn(request),
      get isGone() {
        return response.destroyed || response.writableEnded;
      },
      answer(events) {
        stop();
        beat = undefined;
        response.end(events);
      },
    };
  }

  /** Clients give up a connection that says nothing for minutes. */
  #keepOpen(response: ServerResponse): { cancel(): void } | undefined {
    let timer = this.#clock.timer(LIMITS.claudePingMs, beat);
    const clock = this.#clock;
    function beat() {
      if (response.destroyed || response.writableEnded) return;
      response.write('event: ping\ndata: {"type": "ping"}\n\n');
      timer = clock.timer(LIMITS.claudePingMs, beat);
    }
    return { cancel: () => timer.cancel() };
  }
}

const SUBAGENT_HEADER = "x-claude-code-agent-id";
const STREAM = { "content-type": "text/event-stream", "cache-control": "no-cache" };

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ type: "error", error: { type: "not_found_error", message: "not served here" } }));
}

async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LIMITS.claudeRequestBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What the provider is to know of the request: its version, betas and the session's ids. */
function passedOn({ headers }: IncomingMessage): Record<string, string> {
  const names = Object.keys(headers).filter((name) => /^(anthropic-|x-claude-code-|user-agent$|x-app$)/.test(name));
  return Object.fromEntries(names.map((name) => [name, String(headers[name])]));
}
