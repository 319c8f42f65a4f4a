/** The tool `list_files`: what is in a folder. */
import { lstat } from "node:fs/promises";
import { z } from "zod";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { defineTool } from "../define.ts";
import { showName } from "../show.ts";
import { type Entry, readFolder } from "./folder.ts";
import { pathField } from "./paths.ts";
import { openRoot, type Pin } from "./pin.ts";

export const listFiles = defineTool({
  name: "list_files",
  description:
    "List one folder, sorted by name. Answers `<path>: N entries`, then one entry a line: `d name/` for a folder, `f name bytes` for " +
    "a file, `l name` for a symbolic link, `s name` for what cannot be read. A name in double quotes is JSON text.",
  input: z.strictObject({
    path: pathField.describe("Folder, relative to your root; `.` is the root."),
    offset: z.int().min(0).max(LIMITS.folderEntriesMax).default(0).describe("Entries to leave out from the start."),
    limit: z
      .int()
      .min(1)
      .max(LIMITS.listEntriesMax)
      .default(LIMITS.listEntriesMax)
      .describe("Entries to show at most."),
  }),
  onUnknownOutcome: "rerun",
  async run({ path, offset, limit }, { rights, hidden, signal }) {
    const root = await openRoot(rights, { hidden });
    const below = root.below(path);
    await using pin = await root.pin(below);
    if (!pin.stat.isDirectory())
      throw new BanyanError("TOOL_FAILED", `${showName(below)} is no folder: read it with read_file`);
    const entries = await readFolder(pin, below, signal);
    const lines = await linesOf(pin, entries.slice(offset, offset + limit), signal);
    const more = entries.length - offset - limit;
    return [
      `${showName(below)}: ${entries.length} entries`,
      ...lines,
      ...(more > 0 ? [`... ${more} more; continue with offset ${offset + limit}`] : []),
    ].join("\n");
  },
});

/** Sizes asked for at once. */
const BATCH = 32;

async function linesOf(pin: Pin, entries: readonly Entry[], signal: AbortSignal): Promise<string[]> {
  const lines: string[] = [];
  for (let i = 0; i < entries.length; i += BATCH) {
    signal.throwIfAborted();
    lines.push(...(await Promise.all(entries.slice(i, i + BATCH).map((entry) => lineOf(pin, entry)))));
  }
  return lines;
}

async function lineOf(pin: Pin, { name, kind }: Entry): Promise<string> {
  switch (kind) {
    case "folder":
      return `d ${showName(name)}/`;
    case "link":
      return `l ${showName(name)}`;
    case "special":
      return `s ${showName(name)}`;
    case "file": {
      const stat = await lstat(`${pin.path}/${name}`).catch(() => undefined);
      // Otherwise it is gone or something else by now, or its name is bytes that are no text.
      return stat?.isFile() ? `f ${showName(name)} ${stat.size}` : `s ${showName(name)}`;
    }
  }
}
