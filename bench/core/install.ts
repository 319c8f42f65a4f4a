/**
 * Packages of a peer, installed on first use from its own lock file, beside its code. No script of theirs runs: no peer needs
 * one, and none of theirs is ours to trust.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";

const OPTIONS = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

/** Makes the packages beside a module ready, where it has any of its own. @throws when they cannot be installed */
export async function installBeside(module: string): Promise<void> {
  const folder = dirname(module);
  if (!needsInstall(folder)) return;
  console.error(`Installing the packages of ${basename(folder)} (once) ...`);
  await promisify(execFile)("npm", ["ci", "--prefix", folder, ...OPTIONS], { cwd: folder });
}

/** Makes `dist/` of the sources as they are now. @throws with what the compiler said */
export function build(): void {
  execFileSync("npm", ["run", "--silent", "build"], { stdio: ["ignore", "ignore", "inherit"] });
}

/** What npm left says what it installed; a peer without packages has no lock file. */
function needsInstall(folder: string): boolean {
  const lock = join(folder, "package-lock.json");
  if (!existsSync(lock)) return false;
  const installed = join(folder, "node_modules", ".package-lock.json");
  return !existsSync(installed) || versionsIn(installed) !== versionsIn(lock);
}

function versionsIn(lock: string): string {
  const { packages }: { packages: Record<string, { version?: string; optional?: boolean }> } = JSON.parse(
    readFileSync(lock, "utf8"),
  );
  const wanted = Object.entries(packages).filter(([path, { optional }]) => path !== "" && !optional);
  return wanted.map(([path, { version }]) => `${path}@${version}`).join();
}
