/**
 * A `fetch` that reaches the provider without a socket, for clients that take one (both SDKs do). A simulation that owns
 * clock and randomness runs the real client code over it.
 */
import { ConnectionCut } from "./api-error.ts";
import type { Provider, ProviderRequest } from "./provider.ts";

/** Rejects with a TypeError as `fetch` does when the connection breaks, and with the signal's reason when it is aborted. */
export function providerFetch(provider: Provider): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const signal = init?.signal ?? new AbortController().signal;
    signal.throwIfAborted();
    const request: ProviderRequest = {
      method: init?.method ?? "GET",
      path: url.pathname,
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: bodyText(init?.body),
      signal,
    };
    try {
      const { status, headers, body } = await provider.handle(request);
      return new Response(typeof body === "string" ? body : streamOf(body), { status, headers });
    } catch (error) {
      signal.throwIfAborted();
      throw asFetchError(error);
    }
  };
}

function bodyText(body: unknown): string {
  if (body === undefined || body === null) return "";
  if (typeof body === "string") return body;
  throw new TypeError("the provider simulator takes request bodies as text only");
}

function streamOf(texts: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const source = texts[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      try {
        const next = await source.next();
        if (next.done) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      } catch (error) {
        controller.error(asFetchError(error));
      }
    },
    async cancel() {
      await source.return?.();
    },
  });
}

function asFetchError(error: unknown): unknown {
  return error instanceof ConnectionCut ? new TypeError("terminated", { cause: error }) : error;
}
