/** Starts `serve.ts` and talks with it. */
import { fork } from "node:child_process";
import { join } from "node:path";
import type { Told } from "./serve.ts";

export interface ServerProcess extends AsyncDisposable {
  /** From before the process was started to its listening. */
  readonly startMs: number;
  readonly ready: Extract<Told, { is: "ready" }>;
  goLive(): Promise<void>;
  /** The longest time that its event loop was held up since it was last asked, and its memory. */
  lag(): Promise<Extract<Told, { is: "lag" }>>;
}

export async function startServer(folder: string, live = 0): Promise<ServerProcess> {
  const startMs = performance.now();
  const child = fork(join(import.meta.dirname, "serve.ts"), [folder, String(live)]);
  const next = <Is extends Told["is"]>(is: Is): Promise<Extract<Told, { is: Is }>> =>
    new Promise((resolve, reject) => {
      const ended = () => reject(new Error("the process ended"));
      const listen = (told: Told) => {
        if (told.is !== is) return;
        child.off("message", listen);
        child.off("exit", ended);
        resolve(told as Extract<Told, { is: Is }>);
      };
      child.on("message", listen);
      child.once("exit", ended);
    });
  const ready = await next("ready");
  const readyMs = performance.now() - startMs;
  const ask = <Is extends Told["is"]>(what: Is) => {
    const answer = next(what);
    child.send(what);
    return answer;
  };
  return {
    startMs: readyMs,
    ready,
    goLive: async () => void (await ask("live")),
    lag: () => ask("lag"),
    async [Symbol.asyncDispose]() {
      const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      child.send("stop");
      await ended;
    },
  };
}
