/** What the server would answer of a generated agent. */
import { type GeneratedFleet, STATUSES } from "../../support/generated-fleet.ts";
import type { PageServer } from "./page-server.ts";

const USAGE = { input: 1_200, output: 340, cacheRead: 56_000, cacheWrite: 900 };
const COST = { agents: 4, turns: 90, usage: USAGE, costUsd: 12.5, estimatedUsd: 0.5 };

export function answerAll(server: PageServer, fleet: GeneratedFleet): void {
  const { columns } = fleet;
  const ordinalOf = (input: Record<string, unknown>) => columns.id.indexOf(String(input.agent));
  const standing = (input: Record<string, unknown>) => {
    const agent = ordinalOf(input);
    return { agent: columns.id[agent], name: columns.name[agent], status: STATUSES[columns.status[agent] ?? 0] };
  };
  const time = fleet.timeMs;
  Object.assign(server.answers, {
    agent: (input: Record<string, unknown>) => detailOf(fleet, ordinalOf(input)),
    logs: ({ from = 0 }: Record<string, unknown>) =>
      [
        {
          agent: "a",
          seq: 2,
          position: 10,
          time,
          event: { type: "turn.ended", usage: USAGE, costUsd: 0.02, parts: [] },
        },
        { agent: "a", seq: 3, position: 11, time: time + 1_000, event: { type: "turn.lost", turn: 2, costUsd: 0.03 } },
      ].filter(({ position }) => position > Number(from)),
    messages: () => [
      { role: "user", seq: 1, time, from: { kind: "agent", id: columns.id[0] }, text: "Mind the eye." },
      { role: "user", seq: 1, time, from: { kind: "person", id: "anna" }, text: "Do it. <img src=x onerror=alert(1)>" },
      {
        role: "assistant",
        seq: 2,
        time,
        interrupted: false,
        parts: [
          { type: "reasoning", text: "Hm." },
          { type: "text", text: "<script>document.title = 'taken'</script> **I look into it.**" },
          { type: "toolCall", callId: "c1", name: "look_up", input: { json: { topic: "the needle" } } },
        ],
      },
      {
        role: "tools",
        seq: 5,
        time,
        results: [
          {
            callId: "c1",
            name: "look_up",
            outcome: "ok",
            text: { digest: `sha256:${"0".repeat(64)}`, bytes: 20_000, head: "the beginning of much" },
          },
        ],
      },
    ],
    artifact: () => [{ offset: 0, base64: Buffer.from("all of what there is").toString("base64") }],
    checkpoints: () => [
      point({ seq: 2, time, name: "before", kind: "named", pinned: true }),
      point({ seq: 4, time: time + 1_000, kind: "fork", cut: true }),
      point({ seq: 5, time: time + 2_000, kind: "status", status: "waiting" }),
    ],
    // Files were kept at the named one alone.
    showCheckpoint: ({ checkpoint }: Record<string, unknown>) => ({
      tree: checkpoint === 2 ? `sha256:${"0".repeat(64)}` : null,
    }),
    diffCheckpoints: ({ from, to = 9 }: Record<string, unknown>) => differenceOf(Number(from), Number(to)),
    checkpoint: (input: Record<string, unknown>) => ({ ...standing(input), seq: 5, checkpoint: input.name }),
    pinCheckpoint: (input: Record<string, unknown>) => ({ ...standing(input), checkpoint: "at-4" }),
    unpinCheckpoint: (input: Record<string, unknown>) => ({ ...standing(input), checkpoint: "before" }),
    artifacts: () => [
      {
        name: "report.md",
        digest: "d",
        bytes: 1_234,
        mediaType: "text/markdown",
        agent: columns.id[1],
        path: "/lead/coder",
      },
    ],
    cost: ({ by }: Record<string, unknown>) => ({
      groups: [{ key: by === "level" ? "2" : "claude-sonnet-4-5", agent: null, subtreeCostUsd: null, ...COST }],
      total: { ...COST, reservedUsd: 1 },
    }),
    pause: standing,
    cancel: standing,
    send: standing,
    rewind: standing,
    answer: standing,
    fork: (input: Record<string, unknown>) => ({ ...standing(input), path: "/lead/coder-2" }),
  });
}

function point(values: Record<string, unknown>) {
  const plain = { holder: "a", name: null, status: "running", pinned: false, cut: false, messageId: null };
  return { ...plain, turns: 3, costUsd: 0.5, ...values };
}

function differenceOf(from: number, to: number) {
  return {
    ...{ from, to, events: to - from, elapsedMs: 61_000, turns: 2, usage: USAGE, costUsd: 0.04 },
    messages: [{ seq: from + 1, role: "assistant", text: "I look into it." }],
    left: 1,
    tools: [{ name: "look_up", calls: 3, failed: 1 }],
    spawned: [{ agent: "c", name: "helper" }],
    ...{ ended: [], artifacts: [], processes: [], rewoundTo: [] },
    files: [
      { path: "src/new.ts", change: "added" },
      { path: "src/<b>old</b>.ts", change: "removed" },
    ],
    filesLeft: 0,
  };
}

function detailOf({ columns, timeMs }: GeneratedFleet, agent: number) {
  return {
    id: columns.id[agent],
    path: `/${columns.name[agent]}`,
    mode: "task",
    execution: { driver: "model", provider: "simulated", model: "claude-sonnet-4-5", outputTokensMax: 1_000 },
    tenant: "default",
    budget: { costUsd: 40 },
    heldBy: null,
    origin: null,
    output: null,
    made: [{ name: "report.md", digest: "d", bytes: 1_234, mediaType: "text/markdown" }],
    children: [],
    unread: 0,
    checkpoints: [],
    asks: columns.waiting[agent] === "approval" ? [{ callId: "c9", tool: "publish" }] : [],
    processes: [],
    archives: [{ place: "", parts: 1, records: 900, bytes: 120_000, time: timeMs }],
    usage: USAGE,
    costUsd: 0.5,
    estimatedUsd: 0,
    subtree: { agents: 1, live: 1, turns: 3, usage: USAGE, costUsd: 0.5, estimatedUsd: 0, reservedUsd: 0 },
    time: timeMs,
  };
}
