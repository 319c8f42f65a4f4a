/**
 * The simulator's token count: one token for every four UTF-8 bytes begun, for each block of its own, and a flat price
 * for an image. No exact tokenizer for Claude is public; what matters here is that the count is repeatable and that
 * what is counted twice is counted the same.
 */

const BYTES_PER_TOKEN = 4;

/** An image at the size up to which the API does not scale it down: (width x height) / 750. */
export const IMAGE_TOKENS = 1_600;

export function countTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/** Cuts a text into pieces of about `tokens` tokens, never through a character. Joined, they are the text. */
export function pieces(text: string, tokens: number): string[] {
  const length = tokens * BYTES_PER_TOKEN;
  const out: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + length, text.length);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end++;
    out.push(text.slice(start, end));
    start = end;
  }
  return out;
}

/** The longest start of the text that counts as at most `tokens` tokens. */
export function firstTokens(text: string, tokens: number): string {
  if (countTokens(text) <= tokens) return text;
  const bytes = Buffer.from(text).subarray(0, tokens * BYTES_PER_TOKEN);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes, { stream: true });
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
