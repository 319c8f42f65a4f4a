/** A peer that speaks to a control socket line by line, or says what no decent peer would. */
import { connect, type Socket } from "node:net";

export interface Wire extends Disposable {
  readonly socket: Socket;
  /** Sends objects as lines, and anything else as it is. */
  send(...messages: (object | string | Buffer)[]): void;
  /** The next line that came, parsed; undefined when the other end has closed. */
  next(): Promise<Record<string, unknown> | undefined>;
  /** Lines until one that satisfies `isLast`, which is among them; or until the other end closes. */
  until(isLast: (message: Record<string, unknown>) => boolean): Promise<Record<string, unknown>[]>;
}

/** Connects, and takes the greeting. */
export async function openWire(path: string): Promise<Wire> {
  const socket = connect({ path, allowHalfOpen: true });
  const lines: Record<string, unknown>[] = [];
  let rest = "";
  let closed = false;
  let wake = () => {};
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.map((line) => JSON.parse(line)));
    wake();
  });
  const end = () => {
    closed = true;
    wake();
  };
  socket.on("end", end);
  socket.on("close", end);
  socket.on("error", end);
  const next = async () => {
    while (lines.length === 0 && !closed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return lines.shift();
  };
  const wire: Wire = {
    socket,
    send(...messages) {
      for (const message of messages) {
        const isRaw = typeof message === "string" || Buffer.isBuffer(message);
        socket.write(isRaw ? message : `${JSON.stringify(message)}\n`);
      }
    },
    next,
    async until(isLast) {
      const got: Record<string, unknown>[] = [];
      for (let message = await next(); message; message = await next()) {
        got.push(message);
        if (isLast(message)) break;
      }
      return got;
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
  await next();
  return wire;
}
