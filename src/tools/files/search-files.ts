/** The tool `search_files`: lines that match a pattern, in a file or in the files of a folder. */
import { z } from "zod";
import { sleep } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { defineTool } from "../define.ts";
import { isBinary } from "../lines.ts";
import { showName } from "../show.ts";
import type { ToolContext } from "../tool.ts";
import { filesBelow } from "./folder.ts";
import { pathField } from "./paths.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { openRoot, type Root } from "./pin.ts";
import { chunksOf, openFile } from "./read.ts";

export const searchFiles = defineTool({
  name: "search_files",
  description:
    "Find lines that match a regular expression (RE2 syntax: no backreferences, no lookaround; `(?i)` ignores case) in one file or in " +
    "the files of a folder. Answers `N matches`, then one `path:line:text` a line. Links and files that are no text are not searched.",
  input: z.strictObject({
    pattern: z
      .string()
      .min(1)
      .max(LIMITS.searchPatternLengthMax)
      .describe("Regular expression, matched against one line at a time."),
    path: pathField.describe("File or folder, relative to your root; `.` is the root."),
    recursive: z.boolean().default(true).describe("Whether to search folders inside the folder."),
    limit: z
      .int()
      .min(1)
      .max(LIMITS.searchMatchesMax)
      .default(LIMITS.searchMatchesMax)
      .describe("Matches to show at most."),
  }),
  onUnknownOutcome: "rerun",
  timeMsMax: LIMITS.searchMsMax,
  async run({ pattern, path, recursive, limit }, context) {
    const search = new Search(await compilePattern(pattern), limit, context);
    const root = await openRoot(context.rights, context);
    const below = root.below(path);
    if (await isFolder(root, below)) await search.folder(root, below, recursive);
    else await search.file(root, below);
    return search.answer();
  },
});

async function isFolder(root: Root, below: string): Promise<boolean> {
  await using pin = await root.pin(below);
  return pin.stat.isDirectory();
}

/** Longest time that other work in the process waits for a search, but for one line. */
const BUSY_MS_MAX = 10;

class Search {
  readonly #shown: string[] = [];
  readonly #skipped = { binary: 0, large: 0, unreadable: 0, longLines: 0 };
  readonly #matches: Pattern;
  readonly #limit: number;
  readonly #context: ToolContext;
  #found = 0;
  #stoppedBefore: string | undefined;
  #busySinceMs: number;

  constructor(matches: Pattern, limit: number, context: ToolContext) {
    this.#matches = matches;
    this.#limit = limit;
    this.#context = context;
    this.#busySinceMs = context.clock.monotonic();
  }

  async folder(root: Root, folder: string, recursive: boolean): Promise<void> {
    const walk = { recursive, visitsMax: LIMITS.searchFilesMax, signal: this.#context.signal };
    for await (const found of filesBelow(root, folder, walk)) {
      if ("file" in found) await this.#fileOfMany(root, found.file);
      else if ("unreadable" in found) this.#skipped.unreadable++;
      else this.#stoppedBefore = found.stoppedBefore;
    }
  }

  async file(root: Root, path: string): Promise<void> {
    const { signal } = this.#context;
    await using pin = await root.pin(path);
    if (pin.stat.isFile() && pin.stat.size === 0) return;
    if (pin.stat.isFile() && pin.stat.size > LIMITS.searchFileBytesMax) {
      this.#skipped.large++;
      return;
    }
    await using handle = await openFile(pin, path);
    const chunks: Uint8Array[] = [];
    for await (const chunk of chunksOf(handle, pin.stat.size, signal)) chunks.push(Uint8Array.from(chunk));
    const bytes = Buffer.concat(chunks);
    if (isBinary(bytes)) this.#skipped.binary++;
    else await this.#lines(path, bytes.toString("utf8"));
  }

  answer(): string {
    const { binary, large, unreadable, longLines } = this.#skipped;
    const cut = this.#found > this.#shown.length ? `, first ${this.#shown.length} shown` : "";
    const skipped = [
      binary > 0 && `${binary} binary`,
      large > 0 && `${large} over ${LIMITS.searchFileBytesMax} bytes`,
      unreadable > 0 && `${unreadable} unreadable`,
    ].filter((each) => each !== false);
    return [
      `${this.#found} matches${cut}`,
      ...this.#shown,
      ...(skipped.length > 0 ? [`... files skipped: ${skipped.join(", ")}`] : []),
      ...(longLines > 0
        ? [`... lines searched only in their first ${LIMITS.searchLineLengthMax} characters: ${longLines}`]
        : []),
      ...(this.#stoppedBefore !== undefined
        ? [
            `... stopped after ${LIMITS.searchFilesMax} files and folders, before ${showName(this.#stoppedBefore)}: search smaller folders`,
          ]
        : []),
    ].join("\n");
  }

  /** A file that cannot be read is counted; it does not end the search. */
  async #fileOfMany(root: Root, path: string): Promise<void> {
    try {
      await this.file(root, path);
    } catch (error) {
      this.#context.signal.throwIfAborted();
      if (!(error instanceof BanyanError)) throw error;
      this.#skipped.unreadable++;
    }
  }

  async #lines(path: string, text: string): Promise<void> {
    const shownPath = showName(path);
    let number = 0;
    for (let from = 0; from < text.length; ) {
      const newline = text.indexOf("\n", from);
      const to = newline < 0 ? text.length : newline;
      number++;
      if (this.#context.clock.monotonic() - this.#busySinceMs >= BUSY_MS_MAX) await this.#giveWay();
      this.#line(shownPath, number, text.slice(from, text[to - 1] === "\r" ? to - 1 : to));
      from = to + 1;
    }
  }

  #line(path: string, number: number, whole: string): void {
    const isLong = whole.length > LIMITS.searchLineLengthMax;
    const line = isLong ? whole.slice(0, LIMITS.searchLineLengthMax) : whole;
    if (isLong) this.#skipped.longLines++;
    if (!this.#matches(line)) return;
    this.#found++;
    if (this.#shown.length < this.#limit)
      this.#shown.push(`${path}:${number}:${line.slice(0, LIMITS.searchShownLengthMax).toWellFormed()}`);
  }

  async #giveWay(): Promise<void> {
    const { clock, signal } = this.#context;
    await sleep(clock, 0, signal);
    this.#busySinceMs = clock.monotonic();
  }
}
