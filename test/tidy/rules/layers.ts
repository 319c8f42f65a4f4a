/**
 * The floors of docs/architecture.md, section 3: imports go down only. Types count too, for a type is knowledge.
 *
 * L1  A file imports from its own floor or from a lower row, never from a neighbour in its row.
 * L2  A floor's subfolders are its inside: adapters, and parts of its own. Only `runtime/` and the doors look there.
 * L3  `simulator/` imports base alone, `fleet/` the server's contract alone, and `web/` those two and the client over HTTP with its errors; only
 *     what runs or shows them imports them.
 * L4  Nothing in `src/` imports the folders beside it.
 * L5  `base/` needs Node alone, and `agent/`, being pure, needs no Node at all.
 * L6  An optional package is loaded where it is chosen, with `import()`, so that those who do not use it need not have it.
 */
import { type Finding, placeOf, type Rule } from "../rule.ts";
import type { Source } from "../source.ts";

/** Low to high; "" stands for the doors right under src: index.ts, client.ts, testing.ts. */
const ROWS: readonly (readonly string[])[] = [
  ["base"],
  ["agent"],
  ["journal", "blobs", "telemetry"],
  ["artifacts", "checkpoints", "processes"],
  ["tools", "drivers"],
  ["coordinator"],
  ["runtime"],
  ["recordings"],
  ["server"],
  [""],
  ["cli"],
];

/** Floors beside the rows: what each may import, and who may import it. */
const BESIDE: Readonly<Record<string, { imports: readonly string[]; importedBy: readonly string[] }>> = {
  simulator: { imports: ["src/base/"], importedBy: ["cli", ""] },
  fleet: { imports: ["src/server/contract/"], importedBy: ["web", "cli"] },
  web: {
    imports: ["src/server/contract/", "src/server/http-door.ts", "src/base/errors.ts", "src/fleet/"],
    importedBy: [],
  },
};

/** Subfolders that others may look into, and the floors that may look into any. */
const OPEN_INSIDES = ["src/server/contract/"];
const SEES_INSIDES = new Set(["runtime", ""]);

const PACKAGES: Readonly<Record<string, RegExp>> = { base: /^node:/, agent: /^zod$/ };
const OPTIONAL_PACKAGES = /^@ai-sdk\/(?!provider$)|^@anthropic-ai\//;

export const layers: Rule = {
  name: "imports go down the floors",
  check: checkLayers,
  bad: [
    ["src/agent/a.ts", 'import { open } from "../journal/journal.ts";'],
    ["src/agent/a.ts", 'import type { Journal } from "../journal/journal.ts";'],
    ["src/agent/a.ts", 'export * from "../coordinator/coordinator.ts";'],
    ["src/agent/a.ts", 'const late = await import("../runtime/open.ts");'],
    ["src/agent/a.ts", 'let journal: import("../journal/journal.ts").Journal;'],
    ["src/journal/a.ts", 'new Worker(new URL("../runtime/worker.ts", import.meta.url));'],
    ["src/tools/a.ts", 'import { driver } from "../drivers/driver.ts";'],
    ["src/coordinator/a.ts", 'import { openSqliteJournal } from "../journal/sqlite/sqlite-journal.ts";'],
    ["src/coordinator/a.ts", 'import { Simulator } from "../simulator/simulator.ts";'],
    ["src/simulator/a.ts", 'import { decide } from "../agent/decide.ts";'],
    ["src/web/a.ts", 'import { Banyan } from "../runtime/banyan.ts";'],
    ["src/web/a.ts", 'import { listen } from "../server/server.ts";'],
    ["src/fleet/a.ts", 'import { Forest } from "../agent/forest.ts";'],
    ["src/server/a.ts", 'import { Fleet } from "../fleet/fleet.ts";'],
    ["src/runtime/a.ts", 'import { Banyan } from "../index.ts";'],
    ["src/index.ts", 'import { main } from "./cli/main.ts";'],
    ["src/base/a.ts", 'import { seed } from "../../sim/seed.ts";'],
    ["src/nowhere/a.ts", 'import { assert } from "../base/assert.ts";'],
    ["src/base/a.ts", 'import { z } from "zod";'],
    ["src/agent/a.ts", 'import { readFile } from "node:fs/promises";'],
    ["src/cli/a.ts", 'import { anthropic } from "@ai-sdk/anthropic";'],
  ],
  good: [
    [
      "src/agent/a.ts",
      'import { assert } from "../base/assert.ts"; import { b } from "./b.ts"; import { z } from "zod";',
    ],
    [
      "src/agent/a.ts",
      '// import { open } from "../journal/journal.ts";\nconst text = `import "../journal/journal.ts"`;',
    ],
    ["src/journal/sqlite/a.ts", 'import type { Journal } from "../journal.ts"; import { z } from "zod";'],
    ["src/runtime/a.ts", 'import { openSqliteJournal } from "../journal/sqlite/sqlite-journal.ts";'],
    ["src/simulator/a.ts", 'import { assert } from "../base/assert.ts"; import { b } from "./replay/b.ts";'],
    ["src/web/a.ts", 'import type { Tree } from "../server/contract/tree.ts"; import { b } from "./parts/b.ts";'],
    ["src/web/a.ts", 'import { openPageDoor } from "../server/http-door.ts";'],
    ["src/testing.ts", 'export { simulator } from "./simulator/simulator.ts"; export { Banyan } from "./index.ts";'],
    ["src/cli/a.ts", 'import { Banyan } from "../index.ts"; const { anthropic } = await import("@ai-sdk/anthropic");'],
    ["sim/a.ts", 'import { decide } from "../src/agent/decide.ts"; import { b } from "../test/b.ts";'],
  ],
};

function checkLayers(source: Source): Finding[] {
  const { top, floor } = placeOf(source.path);
  if (top !== "src") return [];
  return source.links.flatMap((link) => {
    const message = link.target ? refuseFile(source.path, link.target) : refusePackage(floor, link);
    return message ? [{ path: source.path, line: link.line, message }] : [];
  });
}

function refuseFile(from: string, target: string): string | undefined {
  const own = placeOf(from).floor;
  const { top, floor } = placeOf(target);
  if (top !== "src") return `src/ imports nothing outside itself (L4), and ${target} is`;
  if (own === floor) return undefined;

  const [ownBeside, beside] = [BESIDE[own], BESIDE[floor]];
  if (ownBeside && !ownBeside.imports.some((prefix) => target.startsWith(prefix))) {
    return `${own}/ imports ${ownBeside.imports.join(", ")} alone (L3), not ${target}`;
  }
  if (beside) return beside.importedBy.includes(own) ? undefined : `${own || "a door"} may not import ${floor}/ (L3)`;
  if (ownBeside) return undefined;

  const unknown = [own, floor].find((name) => rowOf(name) < 0);
  if (unknown) return `${unknown}/ is no floor that the table in test/tidy/rules/layers.ts knows`;
  if (rowOf(floor) >= rowOf(own)) {
    return `${own || "a door"} imports lower floors only (L1), and ${target} is not: pass it in, or move one of them`;
  }
  const isInside = target.split("/").length > 3;
  if (isInside && !SEES_INSIDES.has(own) && !OPEN_INSIDES.some((prefix) => target.startsWith(prefix))) {
    return `${target} is the inside of ${floor}/ (L2): use its port; only runtime/ chooses adapters`;
  }
  return undefined;
}

function rowOf(floor: string): number {
  return ROWS.findIndex((floors) => floors.includes(floor));
}

function refusePackage(floor: string, link: Source["links"][number]): string | undefined {
  const allowed = PACKAGES[floor];
  if (allowed && !allowed.test(link.specifier)) {
    return `${floor}/ may import ${allowed.source} alone (L5), not ${link.specifier}: pass in what it would give`;
  }
  if (OPTIONAL_PACKAGES.test(link.specifier) && link.how === "import") {
    return `${link.specifier} is optional (L6): load it with import() where it is chosen`;
  }
  return undefined;
}
