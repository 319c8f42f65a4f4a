/**
 * Writes the reference pages that follow from the code, so that they cannot say something else: `npm run docs`. With
 * `--check` it writes nothing, names the pages that drifted and exits 1.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cliPage } from "./docs/cli.ts";
import { configurationPage } from "./docs/configuration.ts";
import { errorsPage } from "./docs/errors.ts";
import { eventsPage } from "./docs/events.ts";
import { limitsPage } from "./docs/limits.ts";
import { metricsPage } from "./docs/metrics.ts";
import { operationsPage } from "./docs/operations.ts";
import { statusPage } from "./docs/status.ts";

const PAGES: Readonly<Record<string, () => string>> = {
  "docs/cli.md": cliPage,
  "docs/configuration.md": configurationPage,
  "docs/errors.md": errorsPage,
  "docs/events.md": eventsPage,
  "docs/limits.md": limitsPage,
  "docs/metrics.md": metricsPage,
  "docs/operations.md": operationsPage,
  "docs/status.md": statusPage,
};

const checkOnly = process.argv.includes("--check");
let drifted = 0;

for (const [path, page] of Object.entries(PAGES)) {
  const file = new URL(`../${path}`, import.meta.url);
  const [written, wanted] = [existsSync(file) ? readFileSync(file, "utf8") : "", page()];
  if (written === wanted) continue;
  drifted++;
  if (checkOnly) console.error(`${path} drifted from the code at line ${firstDifference(written, wanted)}.`);
  else {
    writeFileSync(file, wanted);
    console.log(`Wrote ${path}.`);
  }
}

if (drifted === 0) console.log(`${Object.keys(PAGES).length} pages say what the code says.`);
else if (checkOnly) {
  console.error("Run `npm run docs` and commit what it writes.");
  process.exitCode = 1;
}

function firstDifference(a: string, b: string): number {
  const [left, right] = [a.split("\n"), b.split("\n")];
  return right.findIndex((line, index) => line !== left[index]) + 1 || right.length + 1;
}
