/**
 * `banyan simulate --fleet`: a lively fleet in a folder of its own, run by the real runtime with a model that is none, until Ctrl-C.
 * For trying what watches and steers agents, for pictures, and for benches.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { seededRandom, systemRandom } from "../../base/random.ts";
import { Banyan } from "../../runtime/banyan.ts";
import { AccessTokens } from "../../server/access-tokens.ts";
import { startControl } from "../../server/control-socket.ts";
import { startHttp } from "../../server/http-server.ts";
import { defineTool } from "../../tools/define.ts";
import { spawning } from "../../tools/kits.ts";
import type { Tool } from "../../tools/tool.ts";
import { type Io, print, printJson, remark } from "../io.ts";
import { fleetModel } from "./model.ts";
import { childrenOf, taskOf, type Unit } from "./plan.ts";

export interface FleetOptions {
  /** Agents that live at any time, in all. */
  readonly fleet: number;
  readonly depth: number;
  /** Events a second, of all together. */
  readonly rate: number;
  readonly seed: number;
  /** Folder of the data; one that is removed at the end when absent. */
  readonly data?: string | undefined;
  readonly json?: boolean | undefined;
  /** Of its HTTP server; 0 for any that is free. */
  readonly port: number;
}

/** A turn of a worker: it starts, it ends, its tool starts and ends. */
const EVENTS_A_TURN = 4;
const CHARACTER = { turns: 60, failing: 0.1, asking: 0.002 };
const DEPTH_MAX = LIMITS.levelsMax;

/** Resolves when it is to end. @throws INPUT_INVALID, DATA_IN_USE */
export async function runFleet(io: Io, options: FleetOptions): Promise<void> {
  const { fleet, depth, rate, seed, data, json, port } = options;
  const unit: Unit = { agents: fleet, levels: depth, seed };
  if (depth < 1 || depth > DEPTH_MAX || fleet < depth || rate <= 0) {
    throw new BanyanError(
      "INPUT_INVALID",
      `a fleet has 1 to ${DEPTH_MAX} levels, an agent on each, and a rate above 0`,
    );
  }
  await using folder =
    data === undefined ? await temporary() : { path: data, [Symbol.asyncDispose]: async () => undefined };
  const { clock } = io;
  const random = seededRandom(seed);
  const tools = [lookUp, publish];
  const answerMs = (workersIn(unit) * EVENTS_A_TURN * 1_000) / rate;
  const model = fleetModel({ clock, random, character: CHARACTER, answerMs });
  await using banyan = await Banyan.open(folder.path, {
    runningMax: 2 * fleet,
    childrenLiveMax: fleet,
    levelsMax: DEPTH_MAX,
    treeLiveMax: fleet,
    tools,
  });
  const ended = stopped(io);
  await using _control = await startControl(banyan.runtime, { shutDown: ended.stop });
  const tokens = new AccessTokens(folder.path, { clock, random: systemRandom });
  const token = tokens.first() ?? null;
  await using http = await startHttp(banyan.runtime, { port, tokens, shutDown: ended.stop });
  banyan.register(model);
  if (banyan.roots().length === 0) {
    await banyan.spawn({
      name: "fleet",
      model,
      instructions: "You are one of many. Do your part, and say what came of it.",
      task: taskOf(unit),
      tools: [spawning(), ...tools],
      askFirst: ["publish"],
    });
  }
  if (json) {
    const figures = { agents: fleet, levels: depth, eventsPerSecond: rate };
    await printJson(io, { data: folder.path, ...figures, url: http.url, token, link: http.loginLink() ?? null });
  } else {
    await print(io, `a fleet of ${fleet} agents on ${depth} levels, in ${folder.path}`);
    await print(io, `over HTTP: ${http.url}${token === null ? "" : `; token (shown once): ${token}`}`);
    await print(io, `dashboard (this link logs in once): ${http.loginLink()}`);
    remark(io, `watch it: banyan top --data ${folder.path}    Ctrl-C ends it`);
  }
  await ended.promise;
}

const lookUp: Tool = defineTool({
  name: "look_up",
  description: "Looks something up.",
  input: z.object({ topic: z.string() }),
  onUnknownOutcome: "rerun",
  run: ({ topic }) => `What there is on ${topic}:\n${`- a remark on ${topic}, with its source\n`.repeat(8)}`,
});

const publish: Tool = defineTool({
  name: "publish",
  description: "Publishes a draft. A person allows it first.",
  input: z.object({ draft: z.string() }),
  run: ({ draft }) => `${draft} is out.`,
});

function workersIn(unit: Unit): number {
  const children = childrenOf(unit);
  return children.length === 0 ? 1 : children.reduce((sum, child) => sum + workersIn(child), 0);
}

async function temporary() {
  const path = await mkdtemp(join(tmpdir(), "banyan-fleet-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function stopped({ interrupted }: Io) {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (interrupted.aborted) resolve();
  interrupted.addEventListener("abort", () => resolve(), { once: true });
  return { promise, stop: resolve };
}
