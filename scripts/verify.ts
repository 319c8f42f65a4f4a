/**
 * The one gate: format and lint, types, dead code, the package's build, docs that drifted, tests. It stops at the
 * first step that fails and exits non-zero. `node scripts/verify.ts types docs` runs the named steps only.
 */
import { spawnSync } from "node:child_process";

const STEPS: Readonly<Record<string, readonly string[]>> = {
  lint: ["biome", "check", "--error-on-warnings"],
  types: ["tsc", "--noEmit"],
  dead: ["knip", "--no-progress"],
  docs: ["node", "scripts/docs.ts", "--check"],
  test: ["vitest", "run"],
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in STEPS));
if (unknown.length > 0) {
  console.error(`No step named ${unknown.join(", ")}. The steps are ${Object.keys(STEPS).join(", ")}.`);
  process.exit(2);
}

const names = asked.length > 0 ? asked : Object.keys(STEPS);
for (const name of names) {
  const [command = "", ...args] = STEPS[name] ?? [];
  console.log(`\n--- ${name}: ${command} ${args.join(" ")}`);
  const startedMs = performance.now();
  const { status, signal, error } = spawnSync(command, args, { stdio: "inherit" });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (status !== 0) {
    console.error(`--- ${name}: FAILED after ${seconds} s (${error?.message ?? signal ?? `exit ${status}`})`);
    process.exit(1);
  }
  console.log(`--- ${name}: ok in ${seconds} s`);
}
console.log(`\nAll ${names.length} steps passed: ${names.join(", ")}.`);
