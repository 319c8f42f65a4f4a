/**
 * Packages of a peer, installed on first use from its own lock file, beside its code. No script of theirs runs: no peer needs
 * one, and none of theirs is ours to trust.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PEERS = fileURLToPath(new URL("../peers", import.meta.url));
const OPTIONS = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];

/** The module that measures the peer, ready to be loaded. @throws when its packages cannot be installed */
export async function installPeer(name: string): Promise<string> {
  const folder = join(PEERS, name);
  if (needsInstall(folder)) {
    console.error(`Installing the packages of bench/peers/${name} (once) ...`);
    await promisify(execFile)("npm", ["ci", "--prefix", folder, ...OPTIONS], { cwd: folder });
  }
  return join(folder, "contender.ts");
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
