/**
 * Text on its way to a terminal. What agents made (names, outputs, activity, errors) must never drive the terminal that
 * shows it: hide a line, recolour the rest, set the title, answer a query, or turn the reading direction round.
 *
 * N1  No control character of C0 or C1 leaves here, except line ends and tabs where they are asked for: each is shown as
 *     a sign instead, so that every sequence that begins with one is harmless text.
 * N2  No character that is invisible or reorders others leaves here: it is shown as its code point.
 */

/** One line: line ends and tabs become spaces. */
export function oneLine(text: string): string {
  return neutral(text.replace(/\r\n|[\n\r\t\u2028\u2029]/g, " "));
}

/** Several lines: line ends and tabs stay. */
export function block(text: string): string {
  return neutral(text.replace(/\r\n/g, "\n"), true);
}

/** Columns that the text takes in a terminal. It must have passed `oneLine` before. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** At most `width` columns, with an ellipsis where something was cut off. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 0) return "";
  let kept = "";
  let left = width - 1;
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}

/** Exactly `width` columns: cut, or filled with spaces on its right or left. */
export function padTo(text: string, width: number, align: "left" | "right" = "left"): string {
  const shown = cut(text, width);
  const space = " ".repeat(Math.max(0, width - displayWidth(shown)));
  return align === "left" ? shown + space : space + shown;
}

const ASCII = /^[\x20-\x7e]*$/;

/** C0, delete and C1; then marks and overrides of direction, other invisible format characters, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{115f}\u{1160}\u{3164}\u{ffa0}]/gu;

function neutral(text: string, lines = false): string {
  if (ASCII.test(text)) return text;
  return text.replace(UNSAFE, (character) =>
    lines && (character === "\n" || character === "\t") ? character : shown(character),
  );
}

/** The control pictures of Unicode for C0 and delete, the code point in braces for all others. */
function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `{U+${code.toString(16).toUpperCase().padStart(4, "0")}}`;
}

const ZERO = /[\p{Mn}\p{Me}]/u;
/** East Asian wide and fullwidth, and emoji: the ranges of Unicode's EastAsianWidth.txt, rounded to whole blocks. */
const WIDE =
  /[\u{1100}-\u{115f}\u{2e80}-\u{303e}\u{3041}-\u{a4cf}\u{a960}-\u{a97f}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

function widthOf(character: string): number {
  if (ASCII.test(character)) return 1;
  if (ZERO.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
