/** What a tool is given, for tests: artifacts in memory, and agents that note what is asked of them. */
import { createHash } from "node:crypto";
import type { Json } from "../../src/agent/content.ts";
import type { ArtifactReference, Rights } from "../../src/agent/events.ts";
import { systemClock } from "../../src/base/clock.ts";
import { BanyanError, type ErrorCode } from "../../src/base/errors.ts";
import type { Digest } from "../../src/blobs/blobs.ts";
import { SystemLaunch } from "../../src/processes/system-launch.ts";
import { openFolder } from "../../src/runtime/launch.ts";
import type { AgentAccess, SpawnRequest, Tool, ToolContext } from "../../src/tools/tool.ts";

export interface TestContext extends ToolContext {
  readonly spawned: SpawnRequest[];
  readonly sent: { to: string; text: string }[];
}

export interface ContextOptions {
  readonly rights?: Partial<Rights>;
  readonly signal?: AbortSignal;
  readonly children?: ReturnType<AgentAccess["children"]>;
}

export function toolContext({ rights, signal, children = [] }: ContextOptions = {}): TestContext {
  const spawned: SpawnRequest[] = [];
  const sent: { to: string; text: string }[] = [];
  const own: Rights = { commands: false, spawn: false, ...rights };
  return {
    agent: "01test0000000000000000000a",
    callId: `call ${++calls}`,
    rights: own,
    signal: signal ?? new AbortController().signal,
    clock: systemClock(),
    artifacts: memoryArtifacts(),
    agents: {
      spawn: async (request) => {
        spawned.push(request);
        return { name: request.name };
      },
      send: async (to, text) => {
        sent.push({ to, text });
      },
      children: () => children,
    },
    processes: {
      ...noProcesses,
      run: (request, signal) =>
        launch.run({ ...request, rights: own, mark: `mark-${calls}` }, request.timeMsMax, signal),
    },
    spawned,
    sent,
  };
}

const launch = new SystemLaunch({
  clock: systemClock(),
  marks: { data: "data-of-a-test", host: `host-test-${process.pid}` },
  openFolder,
});
const refuse = () => Promise.reject(new BanyanError("PROCESSES_NONE", "no processes here"));
const noProcesses: Omit<ToolContext["processes"], "run"> = {
  start: refuse,
  list: async () => [],
  output: refuse,
  write: refuse,
  stop: refuse,
};

let calls = 0;

/** Runs a tool as the runtime does: the input is whatever the model wrote. */
export async function call(tool: Tool, input: Json, context: ToolContext): Promise<string> {
  const answer = await tool.run(input, context);
  return typeof answer === "string" ? answer : answer.text;
}

/** The code of the failure of `work`, and its message; fails the test when it succeeds. */
export async function failureOf(work: Promise<unknown>): Promise<{ code: ErrorCode; message: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof BanyanError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("it did not fail");
}

function memoryArtifacts(): ToolContext["artifacts"] {
  const byName = new Map<string, ArtifactReference>();
  const blobs = new Map<string, Uint8Array>();
  return {
    async write(name, bytes, mediaType) {
      const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      blobs.set(digest, bytes);
      const artifact = { name, digest, bytes: bytes.length, mediaType };
      byName.set(name, artifact);
      return artifact;
    },
    find(name, agent) {
      const found = agent === undefined ? byName.get(name) : undefined;
      if (!found) throw new BanyanError("ARTIFACT_NOT_FOUND", `no artifact ${name}`);
      return found;
    },
    list: () => [...byName.values()].map((artifact) => ({ path: "", artifact })),
    async *read(digest: Digest) {
      const bytes = blobs.get(digest);
      if (!bytes) throw new BanyanError("BLOB_NOT_FOUND", digest);
      for (let i = 0; i < bytes.length; i += 7) yield bytes.subarray(i, i + 7);
    },
  };
}
