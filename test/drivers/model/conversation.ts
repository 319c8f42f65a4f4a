/** An agent's journal, written event by event as the coordinator would, and a driver to take its turns with. */
import { callsOf } from "../../../src/agent/content.ts";
import type { AgentEvent, EventOf, Execution, ToolOutcome } from "../../../src/agent/events.ts";
import { evolve } from "../../../src/agent/evolve.ts";
import type { State } from "../../../src/agent/state.ts";
import { ManualClock } from "../../../src/base/clock.ts";
import { createRedactor } from "../../../src/base/redact.ts";
import { type Contents, createContents } from "../../../src/blobs/content.ts";
import type { Session, TurnOptions, TurnOutcome } from "../../../src/drivers/driver.ts";
import { createModelDriver, type ProviderModel } from "../../../src/drivers/model/model-driver.ts";
import { type CountingBlobs, countingBlobs } from "../../support/blobs.ts";

const AGENT = "01hzzzzzzzzzzzzzzzzzzzzzzz";
const TOOLS = [
  {
    name: "look",
    description: "Looks at a path.",
    inputSchema: { type: "object", properties: { path: { type: "string" } } },
  },
  { name: "wait", description: "Waits.", inputSchema: { type: "object", properties: {} } },
];
const CHILD = "01hyyyyyyyyyyyyyyyyyyyyyyy";
const BY = { kind: "person" } as const;

export interface Setting {
  readonly instructions?: string;
  readonly speaksFirst?: boolean;
  readonly execution?: Partial<Execution>;
  readonly tools?: readonly object[];
  readonly blobs?: CountingBlobs;
}

export class Conversation {
  readonly blobs: CountingBlobs;
  readonly contents: Contents;
  readonly clock = new ManualClock();
  readonly events: AgentEvent[] = [];
  state!: State;
  #messages = 0;

  private constructor(blobs: CountingBlobs) {
    this.blobs = blobs;
    this.contents = createContents({ blobs, redact: createRedactor() });
  }

  static async begin(setting: Setting = {}): Promise<Conversation> {
    const { instructions = "Be brief.", speaksFirst, execution, tools = TOOLS, blobs = countingBlobs() } = setting;
    const conversation = new Conversation(blobs);
    const { contents } = conversation;
    const toolset = await contents.store(JSON.stringify(tools));
    conversation.add({
      type: "agent.created",
      parent: null,
      root: AGENT,
      level: 0,
      name: "lead",
      execution: { driver: "model", provider: "test", model: "scripted", outputTokensMax: 1_000, ...execution },
      instructions: await contents.stow(instructions),
      toolset: toolset.digest,
      tools: [],
      mode: "chat",
      ...(speaksFirst && { speaksFirst }),
      rights: { commands: false, spawn: false },
    });
    return conversation;
  }

  add(event: AgentEvent): void {
    const seq = (this.state?.head.seq ?? 0) + 1;
    this.events.push(event);
    this.state = evolve(AGENT, this.state, { seq, time: seq, event });
  }

  async hear(text: string, from: EventOf<"message.received">["from"] = BY): Promise<void> {
    const id = `m${++this.#messages}`;
    this.add({ type: "message.received", id, from, content: await this.contents.stow(text) });
  }

  /** A child ends, and its report waits in the inbox. */
  async report(output: string): Promise<void> {
    if (!this.state.children.has(CHILD)) this.add({ type: "child.spawned", child: CHILD, name: "scout" });
    else this.add({ type: "child.revived", child: CHILD });
    const content = await this.contents.stow(output);
    const seq = this.state.head.seq;
    this.add({
      type: "child.ended",
      child: CHILD,
      seq,
      status: "completed",
      output: content,
      artifacts: [],
      costUsd: 0,
    });
  }

  /** The inbox enters the conversation and a call begins. */
  start(): void {
    const took = this.state.inbox.map(({ id }) => id);
    this.add({ type: "turn.started", turn: this.state.head.turns + 1, attempt: 1, took, reservedUsd: 0 });
  }

  end(outcome: TurnOutcome): void {
    const turn = this.state.turn?.turn ?? 0;
    if (outcome.outcome === "retryable" || outcome.outcome === "fatal") {
      const { error, usage } = outcome;
      this.add({ type: "turn.failed", turn, error, usage, costUsd: 0, retryTime: 0 });
      return;
    }
    if (outcome.outcome === "withheld") {
      this.add({ type: "turn.withdrawn", turn });
      return;
    }
    const { parts, finish, usage } = outcome;
    const messageId = AGENT;
    this.add({
      type: "turn.ended",
      turn,
      outcome: outcome.outcome,
      messageId,
      parts: [...parts],
      finish,
      usage,
      costUsd: 0,
    });
  }

  /** Every open call ends with the next of these results. */
  async results(...results: readonly (readonly [ToolOutcome, string])[]): Promise<void> {
    let next = 0;
    for (const { call } of this.state.open) {
      const [outcome, text] = results[next++ % results.length] ?? ["ok", ""];
      this.add({ type: "tool.ended", callId: call.callId, outcome, content: await this.contents.stow(text) });
    }
  }

  /** A whole turn: call, and results for the calls that it made. */
  async take(
    session: Session,
    options: Partial<TurnOptions> = {},
    result: readonly [ToolOutcome, string] = ["ok", "done"],
  ) {
    this.start();
    const outcome = await session.turn(this.state, { signal: new AbortController().signal, ...options });
    this.end(outcome);
    if ("parts" in outcome && callsOf(outcome.parts).length > 0) await this.results(result);
    return outcome;
  }

  rewind(to: number): void {
    this.add({ type: "agent.rewound", to, by: BY });
  }

  /** The same conversation under another id. */
  fork(): State {
    const agent = "01hxxxxxxxxxxxxxxxxxxxxxxx";
    const { seq } = this.state.head;
    const event: AgentEvent = {
      type: "agent.forked",
      origin: { agent: AGENT, seq },
      parent: null,
      root: agent,
      level: 0,
      name: "twin",
      children: {},
      by: BY,
    };
    return evolve(agent, this.state, { seq: seq + 1, time: seq + 1, event });
  }

  /** The state that another process would fold from the journal. */
  refold(): State {
    const events: AgentEvent[] = JSON.parse(JSON.stringify(this.events));
    return events.reduce<State | undefined>(
      (state, event, index) => evolve(AGENT, state, { seq: index + 1, time: index + 1, event }),
      undefined,
    ) as State;
  }

  open(model: ProviderModel, state = this.state): Promise<Session> {
    return createModelDriver({ contents: this.contents, clock: this.clock, models: [model] }).open(state);
  }

  /** As another process: nothing is in memory but what the blobs hold. */
  openCold(model: ProviderModel, state: State): Promise<Session> {
    const contents = createContents({ blobs: this.blobs, redact: createRedactor() });
    return createModelDriver({ contents, clock: this.clock, models: [model] }).open(state);
  }
}
