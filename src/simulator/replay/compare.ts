/**
 * Finds the turn that a request asks for, and holds everything it carries against the record on the way: the first
 * difference is refused. Messages that a client has joined or split compare alike, since only their blocks count.
 *
 * Told apart from a difference: a result over the runtime's limit, which comes as its head and a reference (the digest
 * must fit the record); the last words trimmed, as prefilled words must be; thinking left out; one opening text where the record
 * begins with the assistant, since the API wants the user first; any result for a call whose result was not recorded.
 */
import { hash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type ApiError, invalid } from "../api-error.ts";
import { type Block, type BlockOf, blocksOf, type MessagesRequest, resultText } from "../messages-api.ts";
import type { RecordedRun } from "./recorded-run.ts";
import type { RecordedInput, RecordedTurn, Said } from "./turns.ts";

/** The index of the turn that is to be said now. @throws ApiError 400 that names the first difference */
export function locate(request: MessagesRequest, run: RecordedRun, turns: readonly RecordedTurn[]): number {
  checkSystem(request, run);
  const rest = new Reader(request);
  for (const [index, turn] of turns.entries()) {
    compareInput(rest, run, turn, index === 0);
    if (rest.done) return index;
    if (!turn.said) break;
    compareSaid(rest, run, turn.said);
  }
  throw mismatch(run, run.messages.length, "the request goes on where the record ends");
}

type Item = { readonly from: "user" | "assistant"; readonly block: Block };

/** The request's blocks in order, blank texts left out. */
class Reader {
  readonly #items: readonly Item[];
  #at = 0;

  constructor({ messages }: MessagesRequest) {
    this.#items = messages.flatMap((message) => {
      if (message.role === "system") return [];
      const from = message.role;
      return blocksOf(message)
        .filter((block) => block.type !== "text" || block.text.trim() !== "")
        .map((block) => ({ from, block }));
    });
  }

  get done(): boolean {
    return this.#at === this.#items.length;
  }

  /** The next block if it is of that sort, without taking it. */
  peek<Type extends Block["type"]>(from: Item["from"], type: Type): BlockOf<Type> | undefined {
    const item = this.#items[this.#at];
    return item?.from === from && item.block.type === type ? (item.block as BlockOf<Type>) : undefined;
  }

  take<Type extends Block["type"]>(from: Item["from"], type: Type): BlockOf<Type> | undefined {
    const block = this.peek(from, type);
    if (block) this.#at++;
    return block;
  }
}

function checkSystem({ system }: MessagesRequest, run: RecordedRun): void {
  if (run.system === undefined) return;
  const sent = typeof system === "string" ? system : (system ?? []).map(({ text }) => text).join("");
  if (sent !== run.system) throw invalid(`replay of ${run.id}: system: ${difference(sent, run.system)}`);
}

function compareInput(rest: Reader, run: RecordedRun, { texts, results }: RecordedTurn, opening: boolean): void {
  if (opening && run.messages[0]?.role === "assistant") rest.take("user", "text");
  // The API demands one result for each call and none besides, so only what they say is left to compare.
  for (let sent = rest.take("user", "tool_result"); sent; sent = rest.take("user", "tool_result")) {
    const recorded = results.get(sent.tool_use_id);
    if (recorded) compareResult(run, recorded, resultText(sent));
  }
  for (const { index, content } of texts) {
    const sent = rest.take("user", "text");
    if (!sent) throw mismatch(run, index, "it was not sent");
    if (sent.text !== content) throw mismatch(run, index, difference(sent.text, content));
  }
  const more = rest.peek("user", "text");
  if (more) throw mismatch(run, texts.at(-1)?.index ?? 0, `more was sent than was recorded: ${quoted(more.text)}`);
}

function compareResult(run: RecordedRun, { index, content }: RecordedInput, sent: string): void {
  if (sent === content || isCutOf(sent, content)) return;
  throw mismatch(run, index, difference(sent, content));
}

const CUT = /\n\[cut: (\d+) bytes in total; read the rest with read_artifact ref=sha256:([0-9a-f]{64})\]$/;

function isCutOf(sent: string, whole: string): boolean {
  const cut = CUT.exec(sent);
  return (
    cut !== null &&
    whole.startsWith(sent.slice(0, cut.index)) &&
    Number(cut[1]) === Buffer.byteLength(whole) &&
    cut[2] === hash("sha256", whole)
  );
}

function compareSaid(rest: Reader, run: RecordedRun, { index, message }: Said): void {
  const thinking = rest.take("assistant", "thinking");
  if (thinking && thinking.thinking !== message.reasoning) {
    throw mismatch(run, index, difference(thinking.thinking, message.reasoning ?? ""));
  }
  if (message.content.trim() !== "") {
    const sent = rest.take("assistant", "text");
    if (!sent) throw mismatch(run, index, "its text was not sent back");
    const trimmed = rest.done && sent.text === message.content.trim();
    if (sent.text !== message.content && !trimmed) throw mismatch(run, index, difference(sent.text, message.content));
  }
  for (const call of message.tool_calls ?? []) {
    const sent = rest.take("assistant", "tool_use");
    if (!sent) throw mismatch(run, index, `the call ${call.id} was not sent back`);
    const same = sent.id === call.id && sent.name === call.name && isDeepStrictEqual(sent.input, call.input);
    if (!same) {
      const [was, is] = [sent, call].map(({ id, name, input }) => JSON.stringify({ id, name, input }));
      throw mismatch(run, index, difference(was ?? "", is ?? ""));
    }
  }
}

function mismatch(run: RecordedRun, index: number, says: string): ApiError {
  const role = run.messages[index]?.role;
  return invalid(`replay of ${run.id}: recorded message ${index}${role ? ` (${role})` : ""}: ${says}`);
}

function difference(sent: string, recorded: string): string {
  let at = 0;
  while (at < sent.length && at < recorded.length && sent[at] === recorded[at]) at++;
  return `sent ${quoted(sent, at)} where ${quoted(recorded, at)} was recorded, different from character ${at}`;
}

const QUOTED_LENGTH = 60;

/** The part of a text around a place. */
function quoted(text: string, at = 0): string {
  const start = Math.max(0, at - QUOTED_LENGTH / 2);
  const part = text.slice(start, start + QUOTED_LENGTH);
  return `${start > 0 ? "…" : ""}${JSON.stringify(part)}${start + QUOTED_LENGTH < text.length ? "…" : ""}`;
}
