/**
 * Words that stand in for others. A Claude Code that is kept ready has been told a word that means nothing, so that its first call
 * waits at the gateway already, with all that it takes most of a second to put together. What is really said takes the word's place in
 * its requests: instructions, a message, or a whole conversation that another Claude Code had.
 *
 * V1  A request is filled the same way each time, so that prompts go on repeating those before (R3).
 * V2  A request goes out only when each word stands in it exactly where it was said.
 */
import { BanyanError } from "../../base/errors.ts";
import type { ApiMessage } from "./conversation.ts";

export class StandIns {
  /** The JSON text of what a word stands for, but for the end of its last block: see `endOf`. */
  readonly #meant = new Map<string, string>();
  readonly #words: string[] = [];
  readonly #uuid: () => string;

  constructor(uuid: () => string) {
    this.#uuid = uuid;
  }

  /** A word to say in place of what `mean` will tell. */
  make(): string {
    const word = `${PREFIX}${this.#uuid()}`;
    this.#words.push(word);
    return word;
  }

  /** What the word stands for. The first and the last message are the user's; one that follows is a message of its own. */
  mean(word: string, messages: readonly ApiMessage[]): void {
    const text = messages.map(({ content }) => content.map((block) => JSON.stringify(block)).join());
    const joined = text.map((blocks, at) =>
      at === 0 ? blocks : `]},{"role":"${messages[at]?.role}","content":[${blocks}`,
    );
    this.#meant.set(word, joined.join("").slice(0, -"}".length));
  }

  /** V1. @throws MODEL_GARBLED (V2) */
  fill(body: string): string {
    let filled = "";
    let from = 0;
    for (const [word, place] of this.#placesIn(body)) {
      const meant = this.#meant.get(word);
      if (meant === undefined) throw garbled("what it was told to wait with is not known yet");
      filled += body.slice(from, place.at) + meant;
      from = place.end;
    }
    return filled + body.slice(from);
  }

  /** In the order in which they stand: that of the fields is Claude Code's. */
  #placesIn(body: string): [string, Place][] {
    const places = this.#words.map((word): [string, Place] => {
      const said = `{"type":"text","text":"${word}"`;
      const at = body.indexOf(said);
      const end = at + said.length;
      const goesOn = body[end] === "}" || body.startsWith(CACHED, end);
      if (at < 0 || !goesOn || body.includes(word, end)) throw garbled("it sent on what it was told in another form");
      return [word, { at, end }];
    });
    return places.sort(([, one], [, other]) => one.at - other.at);
  }
}

/**
 * Long and always the same: Claude Code marks its requests with a digest of how their first message begins, ahead of everything that the
 * provider's cache could find again.
 */
const PREFIX = "This stands for what is going to be said here, and is never sent: ";

interface Place {
  readonly at: number;
  /** After the text: a mark of the cache may follow, and moves to the end of what is meant. */
  readonly end: number;
}

const CACHED = ',"cache_control":{';

function garbled(why: string): BanyanError {
  return new BanyanError("MODEL_GARBLED", `Claude Code's call cannot be sent: ${why}`);
}
