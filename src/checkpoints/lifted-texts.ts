/**
 * The long texts of a conversation, taken out of its entries and put back: most of a conversation is such texts, and as raw bytes each
 * becomes a string again in one copy, where JSON looks at every character.
 */
import type { Entry } from "../agent/state.ts";

/** Characters from which on a text is worth a place of its own. */
const LONG = 128;

/** Stands for a text: its index among those that were lifted. No content of an entry is a number itself. */
type Place = number;

/** The entry with its long texts replaced by their places in `texts`, to which they are added. The entry itself stays as it is. */
export function liftTexts(entry: Entry, texts: string[]): unknown {
  const lift = (text: unknown): unknown => {
    // UTF-8 cannot say a surrogate that stands alone; JSON can.
    if (typeof text !== "string" || text.length < LONG || !text.isWellFormed()) return text;
    return texts.push(text) - 1;
  };
  switch (entry.kind) {
    case "user":
      return { ...entry, message: { ...entry.message, content: lift(entry.message.content) } };
    case "assistant":
      return {
        ...entry,
        parts: entry.parts.map((part) => (part.type === "toolCall" ? part : { ...part, text: lift(part.text) })),
      };
    case "tools":
      return { ...entry, results: entry.results.map((result) => ({ ...result, content: lift(result.content) })) };
  }
}

/** Puts the texts back into an entry that was parsed, and is nobody else's yet. `textAt` gives the text of a place. */
export function putTextsBack(entry: Entry, textAt: (place: Place) => string): Entry {
  const put = (holder: { content?: unknown; text?: unknown }, key: "content" | "text") => {
    const place = holder[key];
    if (typeof place === "number") holder[key] = textAt(place);
  };
  if (entry.kind === "user") put(entry.message, "content");
  else if (entry.kind === "assistant") for (const part of entry.parts) put(part as { text?: unknown }, "text");
  else for (const result of entry.results) put(result, "content");
  return entry;
}
