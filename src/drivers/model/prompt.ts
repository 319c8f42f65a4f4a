/**
 * The conversation as the provider is sent it. Built once for a session and added to turn by turn.
 *
 * P1  The messages depend on the entries alone: a session that went along, one opened cold and one of a fork send the same.
 * P2  An entry adds to the end; what stands before it never changes (R3). So what is said once stays, such as the line that
 *     asks a paused model to go on, and it is said whether or not a message follows.
 * P3  The first message is the user's, the last one is the user's or a tool's, and no text is blank: providers refuse
 *     anything else.
 */
import type { AssistantPart, Content } from "../../agent/content.ts";
import { cutText, preambleOf } from "../../agent/render.ts";
import type { Entry, Message, State, ToolResult } from "../../agent/state.ts";
import type { Contents } from "../../blobs/content.ts";
import type { PromptMessage, SaidPart } from "./provider-model.ts";

/** Stable for ever, like the words of agent/render.ts. */
const START = "(start)";
const CONTINUE = "(continue)";
const INTERRUPTED = "(interrupted)";
const EMPTY = "(empty)";

/** Long texts that are read at once when a session opens. */
const READS_MAX = 32;

interface PromptOptions {
  readonly isShownWhole?: (tool: string) => boolean;
  readonly byEnd?: boolean;
}

export class Prompt {
  readonly #contents: Contents;
  readonly #speaksFirst: boolean;
  readonly #isShownWhole: (tool: string) => boolean;
  readonly #byEnd: boolean;
  #messages: PromptMessage[] = [];
  #built = 0;
  #lastSeq = 0;

  /**
   * `isShownWhole`: of which tools the model is shown results of any length; of none when absent. `byEnd`: results of one answer stand in
   * the order in which they came, not in that of the calls.
   */
  constructor(
    contents: Contents,
    { speaksFirst }: Pick<State, "speaksFirst">,
    { isShownWhole = () => false, byEnd = false }: PromptOptions = {},
  ) {
    this.#contents = contents;
    this.#speaksFirst = speaksFirst;
    this.#isShownWhole = isShownWhole;
    this.#byEnd = byEnd;
    this.#restart();
  }

  /**
   * The messages for these entries. Not the caller's to change; the next call may add to the last of them.
   * @throws BLOB_NOT_FOUND, BLOB_DAMAGED
   */
  async for(entries: State["entries"]): Promise<readonly PromptMessage[]> {
    const continues = this.#built === 0 || entries.at(this.#built - 1)?.seq === this.#lastSeq;
    if (!continues || entries.length < this.#built) this.#restart();
    const texts = await this.#read(entries);
    for (; this.#built < entries.length; this.#built++) {
      const entry = entries.at(this.#built) as Entry;
      this.#add(entry, (content) => (typeof content === "string" ? content : (texts.get(content.digest) as string)));
      this.#lastSeq = entry.seq;
    }
    return endsWithUser(this.#messages) ? this.#messages : [...this.#messages, filler(this.#messages)];
  }

  /** A rewind: rare, and what it takes is the same as opening cold. */
  #restart(): void {
    this.#built = 0;
    this.#messages = this.#speaksFirst ? [userMessage(START)] : [];
  }

  #add(entry: Entry, whole: (content: Content) => string): void {
    const messages = this.#messages;
    switch (entry.kind) {
      case "user":
        this.#say(userText(entry.message, whole));
        break;
      case "assistant": {
        const content = saidParts(entry.parts, whole);
        if (content.length > 0) {
          if (!endsWithUser(messages)) messages.push(filler(messages));
          messages.push({ role: "assistant", content });
        }
        const call = content.some(({ type }) => type === "tool-call");
        if (entry.interrupted) this.#say(INTERRUPTED);
        else if (entry.finish === "paused" && !call) this.#say(CONTINUE);
        break;
      }
      case "tools":
        messages.push({
          role: "tool",
          content: this.#ordered(entry.results).map(({ callId, name, outcome, content }) => ({
            type: "tool-result",
            toolCallId: callId,
            toolName: name,
            output: {
              type: outcome === "ok" ? "text" : "error-text",
              value: this.#isShownWhole(name) ? whole(content) : shownResult(content),
            },
          })),
        });
    }
  }

  #ordered(results: readonly ToolResult[]): readonly ToolResult[] {
    return this.#byEnd ? results.toSorted((a, b) => a.seq - b.seq) : results;
  }

  #say(text: string): void {
    const last = this.#messages.at(-1);
    if (last?.role === "user") last.content.push({ type: "text", text });
    else this.#messages.push(userMessage(text));
  }

  /** The long texts of messages not built yet, by digest. Those of results that are shown cut are not read. */
  async #read(entries: State["entries"]): Promise<Map<string, string>> {
    const texts = new Map<string, string>();
    const wanted: string[] = [];
    for (let at = this.#built; at < entries.length; at++) {
      for (const content of contentsOf(entries.at(at) as Entry, this.#isShownWhole)) {
        if (typeof content !== "string") wanted.push(content.digest);
      }
    }
    for (let from = 0; from < wanted.length; from += READS_MAX) {
      const digests = wanted.slice(from, from + READS_MAX);
      const read = await Promise.all(digests.map((digest) => this.#contents.load(digest)));
      digests.forEach((digest, index) => {
        texts.set(digest, read[index] as string);
      });
    }
    return texts;
  }
}

/** What the model reads of a tool's result. */
export function shownResult(content: Content): string {
  return typeof content === "string" ? content : cutText(content);
}

function contentsOf(entry: Entry, isShownWhole: (tool: string) => boolean): Content[] {
  if (entry.kind === "user") return [entry.message.content];
  if (entry.kind === "tools")
    return entry.results.flatMap(({ name, content }) => (isShownWhole(name) ? [content] : []));
  return entry.parts.flatMap((part) => {
    if (part.type !== "toolCall") return [part.text];
    return "text" in part.input ? [part.input.text] : [];
  });
}

function endsWithUser(messages: readonly PromptMessage[]): boolean {
  const last = messages.at(-1);
  return last !== undefined && last.role !== "assistant";
}

/** Stands where the user's message would, before an assistant's message or at the end. */
function filler(messages: readonly PromptMessage[]): PromptMessage {
  return userMessage(messages.length === 0 ? START : CONTINUE);
}

function userMessage(text: string): PromptMessage {
  return { role: "user", content: [{ type: "text", text }] };
}

function userText(message: Message, whole: (content: Content) => string): string {
  const text = whole(message.content);
  const body = isBlank(text) ? EMPTY : text;
  const preamble = preambleOf(message);
  return preamble === undefined ? body : `${preamble}\n${body}`;
}

/** Reasoning that nothing follows is left out: an answer was cut off there, and providers refuse a message that ends so. */
function saidParts(parts: readonly AssistantPart[], whole: (content: Content) => string): SaidPart[] {
  const said: SaidPart[] = [];
  let kept = 0;
  for (const part of parts) {
    const saying = saidPart(part, whole);
    if (!saying) continue;
    said.push(saying);
    if (saying.type !== "reasoning") kept = said.length;
  }
  return said.slice(0, kept);
}

function saidPart(part: AssistantPart, whole: (content: Content) => string): SaidPart | undefined {
  const options = part.providerOptions && { providerOptions: part.providerOptions };
  switch (part.type) {
    case "text": {
      const text = whole(part.text);
      return isBlank(text) ? undefined : { type: "text", text, ...options };
    }
    case "reasoning":
      return { type: "reasoning", text: whole(part.text), ...options };
    case "toolCall": {
      const { callId: toolCallId, name: toolName } = part;
      const input = "json" in part.input ? part.input.json : JSON.parse(whole(part.input.text));
      return { type: "tool-call", toolCallId, toolName, input, ...options };
    }
  }
}

function isBlank(text: string): boolean {
  return !/\S/.test(text);
}
