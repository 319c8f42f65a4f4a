/** The provider simulator as a service: the Messages API on a loopback port, from start to stop. */
import type { AddressInfo } from "node:net";
import { BanyanError } from "../base/errors.ts";
import type { RequestCounters } from "./counters.ts";
import { httpServer } from "./http.ts";
import { createProvider, type ProviderOptions } from "./provider.ts";

export interface SimulatorOptions extends ProviderOptions {
  /** 0, the default, lets the system choose. */
  readonly port?: number;
  /** A loopback address; `127.0.0.1` by default. */
  readonly host?: string;
}

export interface Simulator extends AsyncDisposable {
  /** Base for clients that add `/v1/messages` themselves, such as the official SDK. For the AI SDK add `/v1`. */
  readonly url: string;
  readonly port: number;
  readonly requests: RequestCounters;
  /** Ends every connection and frees the port. Any number of calls is fine. */
  stop(): Promise<void>;
}

const LOOPBACK: readonly string[] = ["127.0.0.1", "::1", "localhost"];

/** Resolves when it listens. @throws CONFIG_INVALID for a host that is not loopback, or a port that is taken */
export async function startSimulator({
  port = 0,
  host = "127.0.0.1",
  ...options
}: SimulatorOptions): Promise<Simulator> {
  if (!LOOPBACK.includes(host)) {
    throw new BanyanError("CONFIG_INVALID", `the provider simulator listens on loopback only, not on ${host}`);
  }
  const provider = createProvider(options);
  const server = httpServer(provider);
  try {
    await server.listen({ port, host });
  } catch (cause) {
    throw new BanyanError("CONFIG_INVALID", `cannot listen on ${host}, port ${port}`, { cause });
  }
  const bound = (server.server.address() as AddressInfo).port;
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= server.close();
    return stopped;
  };
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    port: bound,
    requests: provider.requests,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
