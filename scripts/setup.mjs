/**
 * Makes a fresh clone ready: installs exactly what the lock file says, the pinned Node included, and does nothing when
 * that is already installed. It is the first step of every npm script that a newcomer may run, so it is plain
 * JavaScript for any Node since 18 and needs no package. What follows it in a script runs as `env node`, because the
 * shell remembers where it found `node` before there was a pinned one.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const pinnedNode = join(root, "node_modules", ".bin", "node");

if (!isInstalled()) install();

/** True when every package of the lock file is there in that version. Optional ones may be for other machines. */
function isInstalled() {
  const installed = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (!installed || !existsSync(pinnedNode)) return false;
  const locked = packagesOf(join(root, "package-lock.json"));
  return Object.entries(locked).every(([path, wanted]) => {
    if (path === "") return true;
    const found = installed[path];
    return found ? found.version === wanted.version && found.integrity === wanted.integrity : wanted.optional === true;
  });
}

function packagesOf(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, "utf8")).packages : undefined;
}

function install() {
  console.error("Installing the packages of package-lock.json (once) ...");
  // An older Node than `engines` asks for is expected here, and the install script is what brings the pinned one.
  const options = ["--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts=false", "--include=dev"];
  const { status, error } = spawnSync("npm", ["ci", ...options], {
    cwd: root,
    env: { ...process.env, PATH: pathWithoutInstalled() },
    // npm's words are progress, not the output of the script that was asked for.
    stdio: ["ignore", process.stderr, process.stderr],
  });
  if (status !== 0 || !existsSync(pinnedNode)) {
    console.error(error ? `npm could not be started: ${error.message}` : "npm ci failed; the lines above say why.");
    process.exit(1);
  }
}

/** The install removes node_modules, so it must not run on the Node that lives there. */
function pathWithoutInstalled() {
  const installed = join(root, "node_modules", ".bin");
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.filter((folder) => folder !== installed).join(delimiter);
}
