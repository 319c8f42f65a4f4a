/**
 * The control socket: how another process of the same user looks at and steers the agents of this one. A Unix socket in the
 * data folder; files' permissions decide who may. Nothing else listens.
 *
 * A2  A socket that a dead process left is replaced; a living one never is.
 * A3  After `stop` nothing listens and nothing is left behind, and every request has been answered or refused.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { isMainThread } from "node:worker_threads";
import { sleep } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Runtime } from "../runtime/open.ts";
import { findSocketPath, makePrivate, makeSocketPath, removeSocketPath } from "./control-path.ts";
import { countCommits } from "./lag.ts";
import { createOperations } from "./operations.ts";
import { Peer } from "./peer.ts";
import type { StartTree } from "./verbs.ts";

export interface ControlOptions {
  /** Asked to stop this process; without it `shutdown` is refused. */
  readonly shutDown?: (() => void) | undefined;
  /** Begins trees for tasks; without it `spawn` is refused. */
  readonly startTree?: StartTree | undefined;
  /** Events that a reader may lag behind; LIMITS.followEventsMax by default. */
  readonly followEventsMax?: number | undefined;
}

export interface ControlSocket extends AsyncDisposable {
  readonly path: string;
  /** Answers what is under way, then closes every connection and removes the socket. Twice is harmless. */
  stop(): Promise<void>;
}

/** What is under way gets this long to end when the socket is stopped. */
const STOP_MS_MAX = 1_000;

/** Resolves when it listens. @throws DATA_IN_USE when a living process listens already, DISK_FAILED */
export async function startControl(runtime: Runtime, options: ControlOptions = {}): Promise<ControlSocket> {
  const { folder, coordinator, services } = runtime;
  const { shutDown, startTree, followEventsMax = LIMITS.followEventsMax } = options;
  const old = await findSocketPath(folder);
  if (old !== undefined && (await answers(old))) throw new BanyanError("DATA_IN_USE", `a process listens on ${old}`);

  const peers = new Set<Peer>();
  const handlers = createOperations(runtime, { live: true, shutDown, startTree });
  const onBehind = (tell: () => void) => countCommits(coordinator, followEventsMax, tell);
  const server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    const peer = new Peer(socket, { handlers, onBehind });
    peers.add(peer);
    socket.on("close", () => peers.delete(peer));
  });
  server.maxConnections = LIMITS.controlPeersMax;
  const path = await makeSocketPath(folder);
  await listen(server, path);
  await makePrivate(path);

  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const late = new AbortController();
    const ended = Promise.all([...peers].map((peer) => peer.stop())).then(() => closed);
    await Promise.race([ended, sleep(services.clock, STOP_MS_MAX, late.signal).catch(() => undefined)]);
    late.abort();
    for (const peer of peers) peer.drop();
    await closed;
    await removeSocketPath(folder);
  };
  let stopped: Promise<void> | undefined;
  const stopOnce = () => {
    stopped ??= stop();
    return stopped;
  };
  return { path, stop: stopOnce, [Symbol.asyncDispose]: stopOnce };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new BanyanError("DISK_FAILED", `cannot listen on ${path}: ${cause.message}`, { cause }));
    });
    // The address is bound within this call: the mask makes it private from its first moment. Worker threads have none.
    const mask = isMainThread ? process.umask(0o177) : undefined;
    server.listen(path, resolve);
    if (mask !== undefined) process.umask(mask);
  });
}

/** True when someone accepts connections on that path. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (isThere: boolean) => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
  });
}
