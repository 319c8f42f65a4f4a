/** What a file is, by its name's ending. */

const LANGUAGES: Readonly<Record<string, readonly string[]>> = {
  C: ["c", "h"],
  "C#": ["cs"],
  "C++": ["cc", "cpp", "cxx", "hh", "hpp"],
  CSS: ["css", "less", "scss"],
  Go: ["go"],
  HTML: ["htm", "html", "svelte", "vue"],
  JSON: ["json", "json5", "jsonc", "jsonl", "map"],
  Java: ["java"],
  JavaScript: ["cjs", "js", "jsx", "mjs"],
  Kotlin: ["kt", "kts"],
  Markdown: ["markdown", "md", "mdx"],
  PHP: ["php"],
  Protobuf: ["proto"],
  Python: ["py", "pyi"],
  Ruby: ["rb"],
  Rust: ["rs"],
  SQL: ["sql"],
  Shell: ["bash", "sh", "zsh"],
  Swift: ["swift"],
  TOML: ["toml"],
  Text: ["rst", "text", "txt"],
  TypeScript: ["cts", "mts", "ts", "tsx"],
  XML: ["svg", "xml"],
  YAML: ["yaml", "yml"],
  Zig: ["zig"],
};

/** Endings of files that hold no text worth counting. */
const BINARY =
  "7z a avif bin bmp br bz2 class db dll dylib eot exe gif gz ico jar jpeg jpg lib lz4 mov mp3 mp4 node o obj otf pdf png psd pyc so sqlite tar tgz tiff ttf wasm wav webm webp woff woff2 xz zip zst";

const OF_ENDING = new Map(
  Object.entries(LANGUAGES).flatMap(([language, endings]) => endings.map((ending) => [ending, language] as const)),
);
const BINARY_ENDINGS = new Set(BINARY.split(" "));

export function languageOf(name: string): string {
  const ending = endingOf(name);
  return BINARY_ENDINGS.has(ending) ? "Binary" : (OF_ENDING.get(ending) ?? "Other");
}

function endingOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}
