/**
 * The audit trail: whatever a person does to an agent through the server stands in the agent's journal, with the name of the token that it
 * was done with. The table of operations is gone through, so that a new command that leaves no trace fails here.
 */
import { expect, test } from "vitest";
import { decodeEvent } from "../../src/agent/codec.ts";
import type { AgentEvent } from "../../src/agent/events.ts";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/random.ts";
import { takeTasks } from "../../src/cli/run/tasks.ts";
import type { Banyan } from "../../src/runtime/banyan.ts";
import { SETTINGS } from "../../src/runtime/settings.ts";
import { AccessTokens } from "../../src/server/access-tokens.ts";
import { OPERATIONS, type OperationName } from "../../src/server/contract/operations.ts";
import { startHttp } from "../../src/server/http-server.ts";
import { artifacts } from "../../src/tools/kits.ts";
import { openFleet } from "../support/fleet.ts";

/** Commands, in an order in which each has something to do: of which agent, with what, and the event that tells of it. */
const ON_AGENTS: readonly (readonly [OperationName, agent: string | undefined, input: object, event: string])[] = [
  ["spawn", undefined, { task: "look around", dir: "/" }, "message.received"],
  ["send", "lead", { text: "write map" }, "message.received"],
  ["linkArtifact", "lead", { name: "map" }, "artifact.linked"],
  ["putArtifact", "lead", { name: "plan", base64: "d2VzdA==" }, "artifact.written"],
  ["pause", "lead", {}, "hold.set"],
  ["resume", "lead", {}, "hold.released"],
  ["checkpoint", "lead", { name: "first", at: 4 }, "checkpoint.named"],
  ["checkpoint", "lead", { name: "second" }, "checkpoint.named"],
  ["pinCheckpoint", "lead", { checkpoint: "first" }, "checkpoint.pinned"],
  ["unpinCheckpoint", "lead", { checkpoint: "first" }, "checkpoint.unpinned"],
  [
    "forgetCheckpoints",
    "lead",
    { policy: { last: 1, hourly: 0, daily: 0, weekly: 0, monthly: 0 } },
    "checkpoint.forgotten",
  ],
  ["setBudget", "lead", { budget: { costUsd: 5 } }, "budget.set"],
  ["fork", "lead", { name: "twin" }, "agent.forked"],
  ["rewind", "lead", { to: 0 }, "agent.rewound"],
  ["answer", "careful", { callId: "write-plan", decision: "report" }, "tool.answered"],
  ["interrupt", "busy", {}, "agent.interrupted"],
  ["cancel", "busy", {}, "agent.cancelled"],
];

/** Commands that are about the data, and not about an agent. */
const ON_DATA: readonly OperationName[] = [
  ...(["revokeLinks", "archiveTrees", "restoreArchived", "collectArtifacts", "scrubArtifacts", "shutdown"] as const),
];

test("every command is about the data, or is tested here to leave a trace", () => {
  const commands = Object.entries(OPERATIONS).filter(([, { does }]) => does === "command");
  const tested = new Set([...ON_AGENTS.map(([name]) => name), ...ON_DATA]);
  expect([...tested].sort()).toEqual(commands.map(([name]) => name).sort());
});

test("each command on an agent is in its journal, with who gave it", async () => {
  await using fleet = await openFleet();
  const { banyan, model } = fleet;
  const lead = await fleet.lead();
  const asks = { model, mode: "chat", tools: [artifacts()], askFirst: ["write_artifact"] } as const;
  const careful = await banyan.spawn({ ...asks, name: "careful", task: "write plan" });
  const busy = await banyan.spawn({ ...asks, name: "busy", task: "wait" });
  await Promise.all([fleet.became(careful, "waiting approval"), fleet.became(busy, "running")]);
  await using opened = new AsyncDisposableStack();
  const source = { model, provider: "of this test", async [Symbol.asyncDispose]() {} };
  const settings = SETTINGS.parse({ model: "test" });
  const startTree = takeTasks(source, { banyan, settings, environment: {}, opened });
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  const token = tokens.create({ name: "ada", role: "admin", endTime: null });
  const http = await startHttp(banyan.runtime, { port: 0, tokens, startTree });
  opened.defer(() => http.stop());
  const seen = new Map<string, number>();
  for (const [name, agent, input, type] of ON_AGENTS) {
    const answer = await fetch(`${http.url}/v1/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ ...(agent && { agent }), ...input }),
    });
    const stands = (await answer.json()) as { agent: string };
    expect([name, answer.status, stands]).toEqual([name, 200, expect.anything()]);
    const events = await eventsOf(banyan, stands.agent);
    const told = events.slice(seen.get(stands.agent)).findLast((event) => event.type === type);
    seen.set(stands.agent, events.length);
    expect([name, told && authorOf(told)]).toEqual([name, { kind: "person", id: "ada" }]);
    if (name === "send") await fleet.became(lead, "waiting message");
  }
});

async function eventsOf({ runtime: { services } }: Banyan, agent: string): Promise<AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const batch of services.journal.read(agent)) {
    for (const { type, body } of batch) events.push(decodeEvent(type, body));
  }
  return events;
}

function authorOf(event: AgentEvent): unknown {
  return "by" in event ? event.by : "from" in event ? event.from : undefined;
}
