/** How names that others chose are shown to the model: one line each, and nothing in them that is not seen. */

/**
 * The name as it is. One with control or invisible characters (a newline would fake a line of the answer; a right-to-left mark
 * would show another name) is shown as JSON text, which is also what the model has to write to mean it.
 */
export function showName(name: string): string {
  if (!UNSEEN.test(name) && !name.startsWith('"')) return name;
  return JSON.stringify(name).replace(UNSEEN_ALL, (match) => [...match].flatMap(escaped).join(""));
}

/** The start of a line of text, on one line. */
export function showLine(text: string, lengthMax: number): string {
  const cut = text.length > lengthMax ? `${text.slice(0, lengthMax).toWellFormed()}…` : text;
  return cut.replace(/[\r\n]+/g, " ");
}

/** Control and format characters, line and paragraph separators, and halves of surrogate pairs. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const UNSEEN_ALL = new RegExp(UNSEEN, "gu");

function escaped(character: string): string[] {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  );
}
