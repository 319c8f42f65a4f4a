/** The tool `read_file`: lines of a text file. */
import { z } from "zod";
import { LIMITS } from "../../base/limits.ts";
import { defineTool } from "../define.ts";
import { showLines } from "../lines.ts";
import { showName } from "../show.ts";
import { pathField } from "./paths.ts";
import { openRoot } from "./pin.ts";
import { chunksOf, openFile } from "./read.ts";

export const readFile = defineTool({
  name: "read_file",
  description:
    "Read lines of a text file. Answers `<path>: lines A-B of T, N bytes`, then the lines; a file that is no text answers " +
    "`<path>: binary, N bytes`. When B is less than T, continue with offset B+1.",
  input: z.strictObject({
    path: pathField.describe("File, relative to your root."),
    offset: z.int().min(1).default(1).describe("First line to read, from 1."),
    limit: z.int().min(1).max(LIMITS.readLinesMax).default(LIMITS.readLinesMax).describe("Lines to read at most."),
  }),
  onUnknownOutcome: "rerun",
  async run({ path, offset, limit }, { rights, hidden, signal }) {
    const root = await openRoot(rights, { hidden });
    const below = root.below(path);
    await using pin = await root.pin(below);
    await using handle = await openFile(pin, below);
    const { size } = pin.stat;
    return await showLines(showName(below), chunksOf(handle, size, signal), { offset, limit }, size);
  },
});
