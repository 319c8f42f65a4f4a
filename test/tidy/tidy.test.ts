import { describe, expect, test } from "vitest";
import type { Rule, Sample } from "./rule.ts";
import { ambient } from "./rules/ambient.ts";
import { built } from "./rules/built.ts";
import { commands } from "./rules/commands.ts";
import { layers } from "./rules/layers.ts";
import { header, length, names } from "./rules/shape.ts";
import { machinePaths, markers } from "./rules/text.ts";
import { parseSource, readSources } from "./source.ts";

const RULES: readonly Rule[] = [layers, ambient, commands, built, markers, machinePaths, length, header, names];

const sources = readSources();

test("the rules see the whole tree", () => {
  const paths = sources.map((source) => source.path);
  for (const path of ["package.json", "src/base/clock.ts", "test/tidy/tidy.test.ts", "scripts/setup.mjs", ".ci/run"]) {
    expect(paths).toContain(path);
  }
  expect(paths.filter((path) => path.includes("node_modules"))).toEqual([]);
});

test("code that does not parse is an error, not a file without findings", () => {
  expect(() => parseSource("src/agent/a.ts", "const = ;")).toThrow("src/agent/a.ts");
});

describe.each(RULES)("$name", ({ check, bad, good, except = {} }) => {
  test.each(titled(bad))("finds it in $title", ({ path, text }) => {
    const [finding] = check(parseSource(path, text));
    expect(finding).toMatchObject({ path, line: expect.any(Number), message: expect.any(String) });
  });

  test.each(titled(good))("finds nothing in $title", ({ path, text }) => {
    expect(check(parseSource(path, text))).toEqual([]);
  });

  test("holds in the whole tree", () => {
    const findings = sources.filter(({ path }) => !(path in except)).flatMap(check);
    expect(findings.map(({ path, line, message }) => `${path}:${line} ${message}`)).toEqual([]);
  });

  test("is excepted only where it has to be", () => {
    const needless = Object.keys(except).filter((path) => !sources.some((s) => s.path === path && check(s).length > 0));
    expect(needless).toEqual([]);
  });
});

function titled(samples: readonly Sample[]) {
  return samples.map(([path, text]) => ({ path, text, title: `${path}: ${JSON.stringify(text.slice(0, 100))}` }));
}
