/**
 * The one gate: format and lint, types, dead code, the package's build, docs that drifted, tests. It stops at the
 * first step that fails and exits non-zero. `node scripts/verify.ts types docs` runs the named steps only.
 */
import { spawnSync } from "node:child_process";

const STEPS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  lint: [["biome", "check", "--error-on-warnings"]],
  // The page has the browser's types, and nothing else may.
  types: [
    ["tsc", "--noEmit"],
    ["tsc", "--noEmit", "-p", "src/web"],
  ],
  dead: [["knip", "--no-progress"]],
  docs: [["node", "scripts/docs.ts", "--check"]],
  test: [["vitest", "run"]],
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in STEPS));
if (unknown.length > 0) {
  console.error(`No step named ${unknown.join(", ")}. The steps are ${Object.keys(STEPS).join(", ")}.`);
  process.exit(2);
}

const names = asked.length > 0 ? asked : Object.keys(STEPS);
for (const name of names) {
  const startedMs = performance.now();
  for (const [command = "", ...args] of STEPS[name] ?? []) {
    console.log(`\n--- ${name}: ${command} ${args.join(" ")}`);
    const { status, signal, error } = spawnSync(command, args, { stdio: "inherit" });
    if (status !== 0) {
      console.error(
        `--- ${name}: FAILED after ${secondsSince(startedMs)} s (${error?.message ?? signal ?? `exit ${status}`})`,
      );
      process.exit(1);
    }
  }
  console.log(`--- ${name}: ok in ${secondsSince(startedMs)} s`);
}
console.log(`\nAll ${names.length} steps passed: ${names.join(", ")}.`);

function secondsSince(startedMs: number): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}
