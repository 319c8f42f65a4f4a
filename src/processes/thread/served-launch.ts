/**
 * A launch on a thread of its own: the thread's end. It answers what the other end asks, and tells what happens.
 *
 * S1  Output on its way to the other thread is bounded: a program that says more waits until it was taken.
 */
import { asBanyanError, BanyanError } from "../../base/errors.ts";
import type { Launch, Launched } from "../launch.ts";
import { type FromThread, type Question, type ToThread, WINDOW_BYTES } from "./wire.ts";

export interface Port {
  postMessage(message: FromThread, transfer?: readonly ArrayBuffer[]): void;
  on(event: "message", listener: (message: ToThread) => void): unknown;
}

interface Held {
  readonly launched: Launched;
  /** Bytes that were sent and not taken. */
  bytes: number;
}

export function serveLaunch(launch: Launch, port: Port): void {
  const all = new Map<number, Held>();
  const aborts = new Map<number, AbortController>();
  port.on("message", (message) => {
    switch (message.is) {
      case "question": {
        const { id, question } = message;
        const abort = new AbortController();
        if (question.do === "run") aborts.set(id, abort);
        answer(question, { launch, port, all, signal: abort.signal })
          .then(
            (value) => port.postMessage({ is: "answer", id, value }),
            (error) => {
              const { code, message: text } = asBanyanError(error);
              port.postMessage({ is: "refusal", id, code, message: text });
            },
          )
          .finally(() => aborts.delete(id));
        return;
      }
      case "abort":
        aborts.get(message.id)?.abort(new BanyanError("INTERRUPTED", "stopped"));
        return;
      case "signal":
        all.get(message.handle)?.launched.signal(message.signal);
        return;
      case "took":
        took(all.get(message.handle), message.bytes);
    }
  });
}

interface Served {
  readonly launch: Launch;
  readonly port: Port;
  readonly all: Map<number, Held>;
  readonly signal: AbortSignal;
}

async function answer(question: Question, { launch, port, all, signal }: Served): Promise<unknown> {
  switch (question.do) {
    case "launch": {
      const launched = await launch.launch(question.program, question.policy);
      all.set(question.handle, tellOf(launched, question.handle, port));
      return launched.system;
    }
    case "go":
      return all.get(question.handle)?.launched.go();
    case "write":
      return write(all.get(question.handle), question.text, question.end);
    case "clear": {
      const left = await all.get(question.handle)?.launched.clear();
      all.delete(question.handle);
      return left;
    }
    case "run":
      return launch.run(question.program, question.timeMsMax, signal);
    case "reap":
      return launch.reap(question.system);
    case "sweep":
      return launch.sweep();
    case "close":
      return launch.close();
  }
}

function tellOf(launched: Launched, handle: number, port: Port): Held {
  const held: Held = { launched, bytes: 0 };
  void launched.ready.then(() => port.postMessage({ is: "ready", handle }));
  void launched.exited.then((exit) => port.postMessage({ is: "exited", handle, exit }));
  launched.onOutput((bytes) => {
    // Of its own: a chunk is a part of a larger buffer, which would go along.
    const chunk = new Uint8Array(bytes);
    held.bytes += chunk.length;
    if (held.bytes > WINDOW_BYTES) launched.hold(true);
    port.postMessage({ is: "output", handle, chunk }, [chunk.buffer]);
  });
  return held;
}

async function write(held: Held | undefined, text: string, end: boolean): Promise<void> {
  if (!held) throw new BanyanError("TOOL_FAILED", "it reads no input any more");
  await held.launched.write(text, end);
}

/** S1. */
function took(held: Held | undefined, bytes: number): void {
  if (!held) return;
  const wasOver = held.bytes > WINDOW_BYTES;
  held.bytes -= bytes;
  if (wasOver && held.bytes <= WINDOW_BYTES) held.launched.hold(false);
}
