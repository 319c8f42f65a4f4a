/** Where recorded runs are, if they are here at all. They are never copied into the project. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = process.env.BANYAN_DATA ?? resolve(import.meta.dirname, "../../../../shared/data");

/** Files of recorded runs by name of their source; empty when there are none. */
export function recordings(): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl.gz") && !NO_MESSAGES.test(name));
  return new Map(names.map((name) => [name.replace(".jsonl.gz", ""), join(folder, name)]));
}

const NO_MESSAGES = /^(kvtrace|trace|toolbench|beads)_/;

/** Said when the recordings are missing, so that a run without them cannot be mistaken for one with them. */
export const SKIPPED = `SKIPPED: no recorded runs in ${folder}; set BANYAN_DATA to their folder`;
