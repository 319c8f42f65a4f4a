/**
 * Paths as the model writes them, before any disk is asked. A path is relative to the agent's folder; an absolute one inside
 * the folder is taken too. `..` may not climb above the folder.
 */
import { isAbsolute, normalize, relative } from "node:path";
import { z } from "zod";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { showName } from "../show.ts";

/** The `path` field of every tool that takes one. */
export const pathField = z
  .string()
  .min(1)
  .max(LIMITS.pathLengthMax)
  .refine((path) => !path.includes("\0"), "a path has no NUL")
  .refine((path) => path.isWellFormed(), "not valid Unicode");

/**
 * The path below `root`, `.` for the folder itself, without `..` and without a slash at its end. What links do is not known here.
 * @throws OUT_OF_ROOT
 */
export function pathBelow(root: string, path: string): string {
  const below = isAbsolute(path) ? relative(root, path) : normalize(path);
  if (below === ".." || below.startsWith("../") || isAbsolute(below)) throw outOfRoot(path);
  return below.length > 1 && below.endsWith("/") ? below.slice(0, -1) : below || ".";
}

/** True for `folder` and everything below it; both absolute and canonical. */
export function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** One text for everything that leads out, so that what lies outside cannot be felt for. */
export function outOfRoot(path: string): BanyanError {
  return new BanyanError(
    "OUT_OF_ROOT",
    `${showName(path.slice(0, 200))} leads out of the folder, or over a link that leads out or nowhere`,
  );
}
