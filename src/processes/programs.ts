/** Finding programs before anything is started, so that what is missing is said at once and in our words. */
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { BanyanError } from "../base/errors.ts";

/**
 * The path of a program: looked for in the folders of `path`, unless it has a slash.
 * @throws TOOL_FAILED
 */
export async function findProgram(file: string, folder: string, path: string): Promise<string> {
  const places = file.includes("/")
    ? [isAbsolute(file) ? file : join(folder, file)]
    : path.split(delimiter).map((place) => join(place || ".", file));
  let refused = false;
  for (const place of file === "" ? [] : places) {
    if (await mayRun(place)) return place;
    refused ||= await isFile(place);
  }
  throw notStarted(file, refused ? "it may not be run" : "there is no such program");
}

export function notStarted(file: string, why: string, cause?: unknown): BanyanError {
  return new BanyanError("TOOL_FAILED", `${JSON.stringify(file.slice(0, 200))} did not start: ${why}`, { cause });
}

async function mayRun(path: string): Promise<boolean> {
  return (
    (await isFile(path)) &&
    access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
  );
}

function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
