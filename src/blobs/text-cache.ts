/** Texts that were stored or read lately, by digest, up to a number of bytes; the one used longest ago goes first. */

export interface TextCache {
  find(digest: string): string | undefined;
  keep(digest: string, text: string): void;
}

/** `bytesMax` counts two bytes a character, the most that the engine takes. A text over a quarter of it is not kept. */
export function createTextCache(bytesMax: number): TextCache {
  const texts = new Map<string, string>();
  let bytes = 0;

  function drop(digest: string, text: string): void {
    texts.delete(digest);
    bytes -= 2 * text.length;
  }

  return {
    find(digest) {
      const text = texts.get(digest);
      if (text === undefined) return undefined;
      texts.delete(digest);
      texts.set(digest, text);
      return text;
    },
    keep(digest, text) {
      if (8 * text.length > bytesMax || texts.has(digest)) return;
      texts.set(digest, text);
      bytes += 2 * text.length;
      for (const [oldest, its] of texts) {
        if (bytes <= bytesMax) break;
        drop(oldest, its);
      }
    },
  };
}
