/**
 * What one append will make of an agent: commands are decided here one after the other, each against what the ones
 * before it would make. Nothing of it counts until the append is durable.
 */
import { encodeEvent } from "../agent/codec.ts";
import type { Command } from "../agent/commands.ts";
import { decide, decideHead, isHeadCommand, isRefusal } from "../agent/decide.ts";
import type { AgentEvent, Recorded } from "../agent/events.ts";
import { evolve } from "../agent/evolve.ts";
import { evolveHead, isHeadEvent } from "../agent/head.ts";
import type { Head, State } from "../agent/state.ts";
import { summaryOf } from "../agent/summary.ts";
import { assert } from "../base/assert.ts";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Append, NewRecord, Origin } from "../journal/journal.ts";

/** An agent as far as it is in memory. Without a head it has no journal yet; without a state it is not loaded. */
export interface View {
  readonly head: Head | undefined;
  readonly state: State | undefined;
}

/** A command, or what depends on what those before it will have made: undefined for nothing. */
export type Intent = Command | ((state: State) => Command | undefined);

export class Batch {
  readonly agent: AgentId;
  readonly recorded: Recorded[] = [];
  readonly #records: NewRecord[] = [];
  readonly #time: number;
  readonly #expectedSeq: number;
  #head: Head | undefined;
  #state: State | undefined;
  /** Characters of the records. */
  size = 0;

  constructor(agent: AgentId, view: View, time: number) {
    this.agent = agent;
    this.#head = view.head;
    this.#state = view.state;
    this.#time = time;
    this.#expectedSeq = view.head?.seq ?? 0;
  }

  get head(): Head {
    assert(this.#head, `${this.agent} has begun`);
    return this.#head;
  }

  get state(): State | undefined {
    return this.#state;
  }

  get #loaded(): State {
    assert(this.#state, `${this.agent} is in memory`);
    return this.#state;
  }

  /** The command's events, now part of the batch; or why it is refused, and the batch is as it was. */
  decide(intent: Intent): readonly AgentEvent[] | BanyanError {
    const before = { head: this.#head, state: this.#state, count: this.recorded.length, size: this.size };
    try {
      const command = typeof intent === "function" ? intent(this.#loaded) : intent;
      if (!command) return [];
      const headOnly = this.#head !== undefined && isHeadCommand(command);
      const decision = headOnly && this.#head ? decideHead(this.#head, command) : decide(this.#state, command);
      if (isRefusal(decision)) return new BanyanError(decision.refused, decision.why, { agent: this.agent });
      for (const event of decision) this.#add(event);
      return decision;
    } catch (error) {
      this.#head = before.head;
      this.#state = before.state;
      this.size = before.size;
      this.recorded.length = before.count;
      this.#records.length = before.count;
      return asBanyanError(error);
    }
  }

  /** Whole appends only: a summary goes with every one that leaves the agent at rest, and with some that do not. */
  append(summarySeq: number, origin?: Origin): Append {
    const head = this.head;
    const due = head.status !== "running" || head.seq - summarySeq >= LIMITS.summaryEventsMax;
    return {
      agent: this.agent,
      expectedSeq: this.#expectedSeq,
      records: this.#records,
      ...(origin && { origin }),
      ...(due && { summary: summaryOf(head) }),
    };
  }

  #add(event: AgentEvent): void {
    const recorded = { seq: (this.#head?.seq ?? 0) + 1, time: this.#time, event };
    if (this.#head && isHeadEvent(event)) {
      const head = evolveHead(this.#head, { ...recorded, event });
      this.#head = head;
      this.#state &&= { ...this.#state, head };
    } else {
      this.#state = evolve(this.agent, this.#state, recorded);
      this.#head = this.#state.head;
    }
    const { type, body } = encodeEvent(event);
    if (exceeds(body, LIMITS.recordBytesMax)) {
      throw new BanyanError("CONTENT_TOO_LARGE", `a ${type} of ${body.length} characters is too large`, {
        agent: this.agent,
      });
    }
    this.recorded.push(recorded);
    this.#records.push({ time: this.#time, type, body });
    this.size += body.length;
  }
}

/** Counts UTF-8 bytes only where the number of UTF-16 units, each one to three bytes, does not settle it. */
function exceeds(text: string, bytesMax: number): boolean {
  return text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax;
}
