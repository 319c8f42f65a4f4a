/** The calls of a conversation so far, and what came of them. The planner knows nothing but this. */
import { type Block, type BlockOf, blocksOf, type MessagesRequest, resultText } from "../messages-api.ts";

export interface Call {
  readonly name: string;
  readonly input: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export interface Outcome {
  readonly text: string;
  readonly failed: boolean;
}

/** Times that a call is made again when it was interrupted, as after a crash. */
const ATTEMPTS_MAX = 3;
const INTERRUPTED = /\binterrupted\b|\bunknown\b/i;

export class CallLog {
  readonly #outcomes = new Map<string, Outcome>();
  readonly #attempts = new Map<string, number>();
  readonly #offered: ReadonlySet<string>;

  constructor({ messages, tools }: MessagesRequest) {
    this.#offered = new Set(tools?.map(({ name }) => name));
    const keys = new Map<string, string>();
    for (const block of messages.flatMap(blocksOf)) this.#note(block, keys);
  }

  /** Undefined for a call that is still to be made. A tool that is not offered fails without being called. */
  outcome(call: Call): Outcome | undefined {
    if (!this.#offered.has(call.name)) return { text: `there is no tool ${call.name}`, failed: true };
    const key = keyOf(call);
    const outcome = this.#outcomes.get(key);
    const again = outcome?.failed && INTERRUPTED.test(outcome.text) && (this.#attempts.get(key) ?? 0) < ATTEMPTS_MAX;
    return again ? undefined : outcome;
  }

  #note(block: Block, keys: Map<string, string>): void {
    if (block.type === "tool_use") {
      const key = keyOf(block as BlockOf<"tool_use"> & Call);
      keys.set(block.id, key);
      this.#attempts.set(key, (this.#attempts.get(key) ?? 0) + 1);
    } else if (block.type === "tool_result") {
      const key = keys.get(block.tool_use_id);
      if (key) this.#outcomes.set(key, { text: resultText(block), failed: block.is_error === true });
    }
  }
}

/** Independent of the order of fields, which a journal need not keep. */
function keyOf({ name, input }: Call): string {
  const fields = Object.keys(input).sort();
  return JSON.stringify([name, ...fields.map((field) => [field, input[field]])]);
}
