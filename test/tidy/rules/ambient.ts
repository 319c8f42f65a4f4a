/**
 * Time, timers and randomness are passed in, so that a simulation can own them: whatever reads them from the machine
 * stands in `src/base/`. A test never waits for time to pass, it waits for the thing itself.
 *
 * A1  In `src/` and `sim/`, but not in `src/base/`: no ambient time, timer or randomness.
 * A2  In `test/`: no timer, and no randomness that a failure could not repeat.
 */
import type { Expression, MemberExpression } from "oxc-parser";
import { type Finding, placeOf, type Rule } from "../rule.ts";
import { type Source, visit } from "../source.ts";

type Kind = "time" | "timer" | "random";

const INSTEAD: Readonly<Record<Kind, string>> = {
  time: "take a Clock (src/base/clock.ts) and ask its now() or monotonic()",
  timer: "take a Clock (src/base/clock.ts) and use its timer(), or sleep()",
  random: "take a Random (src/base/random.ts) or an IdSource (src/base/ids.ts)",
};

const IN_TEST: Readonly<Partial<Record<Kind, string>>> = {
  timer: "wait for the event itself, or move a ManualClock (src/base/clock.ts)",
  random: "use fast-check or seededRandom (src/base/random.ts), so that a failure can be repeated",
};

/** By name, whether called or passed on; members by the last two names. */
const GLOBALS: Readonly<Record<string, Kind>> = {
  setTimeout: "timer",
  setInterval: "timer",
  setImmediate: "timer",
  "Date.now": "time",
  "performance.now": "time",
  "performance.timeOrigin": "time",
  "process.hrtime": "time",
  "process.uptime": "time",
  "AbortSignal.timeout": "timer",
  "Atomics.wait": "timer",
  "Math.random": "random",
  "crypto.randomUUID": "random",
  "crypto.randomBytes": "random",
  "crypto.getRandomValues": "random",
};

/** What may not be imported, by module without `node:`; "*" is everything. */
const MODULES: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  timers: { "*": "timer" },
  "timers/promises": { "*": "timer" },
  perf_hooks: { performance: "time" },
  crypto: {
    randomBytes: "random",
    randomFill: "random",
    randomFillSync: "random",
    randomInt: "random",
    randomUUID: "random",
    getRandomValues: "random",
    webcrypto: "random",
  },
};

export const ambient: Rule = {
  name: "time, timers and randomness are passed in",
  check: checkAmbient,
  except: { "src/web/browser.ts": "the page's only door to time" },
  bad: [
    ["src/agent/a.ts", "const now = Date.now();"],
    ["src/agent/a.ts", "const options = { now: Date.now };"],
    ["src/agent/a.ts", "const now = new Date();"],
    ["src/agent/a.ts", "const now = Date();"],
    ["src/agent/a.ts", "const now = globalThis.performance.now();"],
    ["src/agent/a.ts", "const id = Math.random();"],
    ["src/agent/a.ts", "globalThis.setTimeout(run, 5);"],
    ["src/agent/a.ts", "setInterval(run, 5);"],
    ["src/agent/a.ts", "await new Promise((resolve) => setImmediate(resolve));"],
    ["src/agent/a.ts", "const signal = AbortSignal.timeout(5);"],
    ["src/agent/a.ts", "const id = crypto.randomUUID();"],
    ["src/agent/a.ts", 'import { createHash, randomBytes } from "node:crypto";'],
    ["src/agent/a.ts", 'import * as secrets from "node:crypto";'],
    ["src/agent/a.ts", 'import { setTimeout as pause } from "node:timers/promises";'],
    ["src/agent/a.ts", "const ns = process.hrtime.bigint();"],
    ["sim/a.ts", "const id = Math.random();"],
    ["test/agent/a.test.ts", "await new Promise((resolve) => setTimeout(resolve, 100));"],
    ["test/agent/a.test.ts", 'import { setTimeout } from "node:timers/promises";'],
    ["test/agent/a.test.ts", "const amount = Math.random();"],
    ["test/agent/a.test.ts", "await sleep(systemClock(), 100);"],
  ],
  good: [
    ["src/base/clock.ts", "const now = Date.now(); setTimeout(run, 5);"],
    [
      "src/agent/a.ts",
      'const date = new Date(time); clock.setTimeout(run); const text = "Date.now()"; // Math.random()',
    ],
    [
      "src/agent/a.ts",
      "const options = { setTimeout: clock.timer }; clearTimeout(handle); type Now = typeof Date.now;",
    ],
    ["src/agent/a.ts", 'import { createHash } from "node:crypto";'],
    ["test/agent/a.test.ts", "const startedMs = performance.now(); await sleep(clock, 100);"],
    ["bench/a.ts", "const startedMs = performance.now();"],
  ],
};

function checkAmbient(source: Source): Finding[] {
  const instead = insteadFor(source.path);
  if (!instead) return [];
  const findings: Finding[] = [];
  const find = (node: { start: number }, name: string, kind: Kind | undefined) => {
    const message = kind && instead[kind];
    if (message) findings.push({ path: source.path, line: source.lineAt(node.start), message: `${name}: ${message}` });
  };
  visit(source, {
    CallExpression(node) {
      const name = nameOf(node.callee);
      if (name === "Date") find(node, "Date()", "time");
      const [first] = node.arguments;
      const onSystemClock = first?.type === "CallExpression" && nameOf(first.callee) === "systemClock";
      if (name === "sleep" && onSystemClock) find(node, "sleep(systemClock())", "timer");
      else find(node, name, name.includes(".") ? undefined : GLOBALS[name]);
      for (const argument of node.arguments) {
        if (argument.type === "Identifier") find(argument, argument.name, GLOBALS[argument.name]);
      }
    },
    NewExpression(node) {
      if (nameOf(node.callee) === "Date" && node.arguments.length === 0) find(node, "new Date()", "time");
    },
    MemberExpression(node) {
      const name = nameOf(node);
      find(node, name, GLOBALS[name]);
    },
    ImportDeclaration(node) {
      const banned = MODULES[node.source.value.replace(/^node:/, "")];
      if (!banned || node.importKind === "type") return;
      for (const specifier of node.specifiers) {
        const imported = specifier.type === "ImportSpecifier" ? specifier.imported : undefined;
        const name = imported?.type === "Identifier" ? imported.name : "*";
        // Under a name of its own a module could give anything.
        const kind = name === "*" ? Object.values(banned)[0] : (banned["*"] ?? banned[name]);
        find(specifier, `${name} of ${node.source.value}`, kind);
      }
    },
  });
  return findings;
}

function insteadFor(path: string): Readonly<Partial<Record<Kind, string>>> | undefined {
  const { top, floor } = placeOf(path);
  if (top === "test") return IN_TEST;
  if (top === "sim" || (top === "src" && floor !== "base")) return INSTEAD;
  return undefined;
}

/** `setTimeout` of globalThis, `Date.now`, or "" for what is no such plain name. */
function nameOf(node: Expression | MemberExpression): string {
  if (node.type === "Identifier") return node.name;
  if (node.type !== "MemberExpression" || node.computed || node.property.type !== "Identifier") return "";
  const object = nameOf(node.object).split(".").at(-1);
  if (!object) return "";
  return object === "globalThis" ? node.property.name : `${object}.${node.property.name}`;
}
