/** `npm run banyan` in a clone: builds the dashboard when it was not yet, or its sources are newer. An installed package has it. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = [
  "src/web",
  "src/fleet",
  "src/server/contract",
  "src/server/http-door.ts",
  "src/base",
  "vite.config.ts",
  "package-lock.json",
];
const BUILT = "dist/web/index.html";

if (newest(SOURCES) > newest([BUILT])) {
  console.error("Building the dashboard ...");
  const { build } = await import("vite");
  await build({ configFile: join(root, "vite.config.ts"), root: join(root, "src/web"), logLevel: "error" });
}

/** When the newest file among these was changed; 0 when there is none. */
function newest(paths: readonly string[]): number {
  const times = paths.map((path) => {
    const found = statSync(join(root, path), { throwIfNoEntry: false });
    if (!found?.isDirectory()) return found?.mtimeMs ?? 0;
    return newest(readdirSync(join(root, path)).map((name) => join(path, name)));
  });
  return Math.max(0, ...times);
}
