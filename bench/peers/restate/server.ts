/** Restate's server as a process of ours: its program comes inside an npm package. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";

export interface Server {
  readonly pid: number;
  /** Where calls go. */
  readonly ingress: string;
  stop(): Promise<void>;
}

const READY_MS_MAX = 30_000;

/** Starts it on the data in `folder`, and tells it where the service listens. Resolves once it takes calls. */
export async function startServer(folder: string, service: string): Promise<Server> {
  const [node, ingress, admin] = [await freePort(), await freePort(), await freePort()];
  const program = createRequire(import.meta.url).resolve(
    `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`,
  );
  const started = spawn(program, ["--no-logo", "--listen-mode", "tcp", "--bind-ip", "127.0.0.1"], {
    env: {
      PATH: process.env.PATH,
      RESTATE_BASE_DIR: folder,
      RESTATE_BIND_PORT: String(node),
      RESTATE_INGRESS__BIND_PORT: String(ingress),
      RESTATE_ADMIN__BIND_PORT: String(admin),
      RESTATE_NODE_NAME: "bench",
      RESTATE_DISABLE_TELEMETRY: "true",
      RESTATE_LOG_FILTER: "error",
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const ended = once(started, "exit");
  await until(async () => (await fetch(`http://127.0.0.1:${admin}/health`)).ok);
  await until(async () => {
    const found = await fetch(`http://127.0.0.1:${admin}/deployments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ uri: service, force: true }),
    });
    return found.ok;
  });
  await until(async () => (await fetch(`http://127.0.0.1:${ingress}/restate/health`)).ok);
  return {
    pid: started.pid ?? 0,
    ingress: `http://127.0.0.1:${ingress}`,
    async stop() {
      started.kill("SIGTERM");
      await ended;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port to be had");
  return address.port;
}

/** Asks again until it is so: the server does not say when it is ready. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const lateMs = performance.now() + READY_MS_MAX;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > lateMs) throw new Error("the server of Restate was not ready in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
