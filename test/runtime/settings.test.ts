import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../src/base/limits.ts";
import { loadSettings, SETTINGS, variableOf } from "../../src/runtime/settings.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "banyan-settings-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, content: unknown) => {
  writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
};
const invalid = (message: RegExp) =>
  expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringMatching(message) });

test("without anything the defaults are in force", async () => {
  const { settings, sources } = await loadSettings({ folder });
  expect(settings).toMatchObject({
    dataDir: join(folder, ".banyan"),
    runningMax: LIMITS.runningMax,
    outputTokensMax: LIMITS.outputTokensDefault,
  });
  expect(settings.budgetUsd).toBeUndefined();
  expect(new Set(Object.values(sources))).toEqual(new Set(["default"]));
});

test("C1: option before environment before file before default", async () => {
  write("banyan.json", { runningMax: 1, childrenLiveMax: 1, forksPerMinute: 1 });
  const environment = { BANYAN_RUNNING_MAX: "2", BANYAN_CHILDREN_LIVE_MAX: "2" };
  const { settings, sources } = await loadSettings({
    folder,
    environment,
    options: { runningMax: 3, model: undefined },
  });
  expect(settings).toMatchObject({ runningMax: 3, childrenLiveMax: 2, forksPerMinute: 1, model: "claude-sonnet-4-5" });
  expect(sources).toMatchObject({
    runningMax: "option runningMax",
    childrenLiveMax: "BANYAN_CHILDREN_LIVE_MAX",
    forksPerMinute: `${join(folder, "banyan.json")}: forksPerMinute`,
    model: "default",
  });
});

test("a path in the file is taken from the file's folder, others from the working folder", async () => {
  write("elsewhere.json", { dataDir: "data" });
  const inFile = await loadSettings({ folder: "/", file: join(folder, "elsewhere.json") });
  expect(inFile.settings.dataDir).toBe(join(folder, "data"));
  const inEnvironment = await loadSettings({ folder, environment: { BANYAN_DATA_DIR: "data" } });
  expect(inEnvironment.settings.dataDir).toBe(join(folder, "data"));
  expect((await loadSettings({ folder, environment: { BANYAN_DATA_DIR: "/var/fleet" } })).settings.dataDir).toBe(
    "/var/fleet",
  );
});

test("an empty variable is none", async () => {
  expect((await loadSettings({ folder, environment: { BANYAN_MODEL: "" } })).settings.model).toBe("claude-sonnet-4-5");
});

describe("C2: a name that is not known is refused, with the one that was meant", () => {
  test("in the file", async () => {
    write("banyan.json", { runingMax: 3 });
    await expect(loadSettings({ folder })).rejects.toEqual(
      invalid(/banyan\.json: no setting "runingMax"; did you mean runningMax\?/),
    );
    write("banyan.json", { colour: "red" });
    await expect(loadSettings({ folder })).rejects.toEqual(invalid(/there are dataDir, model/));
  });

  test("in the environment, where it looks like a slip", async () => {
    await expect(loadSettings({ folder, environment: { BANYAN_RUNING_MAX: "3" } })).rejects.toEqual(
      invalid(/BANYAN_RUNING_MAX; did you mean BANYAN_RUNNING_MAX\?/),
    );
    await expect(
      loadSettings({ folder, environment: { BANYAN_SOMETHING_ELSE: "3", OTHER: "x" } }),
    ).resolves.toBeDefined();
  });
});

describe("C3: a value out of range is refused, with where it came from", () => {
  test.each([
    ["BANYAN_RUNNING_MAX", "0"],
    ["BANYAN_RUNNING_MAX", "1.5"],
    ["BANYAN_RUNNING_MAX", "many"],
    ["BANYAN_RUNNING_MAX", " "],
    ["BANYAN_RUNNING_MAX", "-1"],
    ["BANYAN_RUNNING_MAX", "Infinity"],
    ["BANYAN_CHILDREN_LIVE_MAX", "1000000"],
    ["BANYAN_BUDGET_USD", "0"],
  ])("%s=%s", async (name, value) => {
    await expect(loadSettings({ folder, environment: { [name]: value } })).rejects.toEqual(
      invalid(new RegExp(`\\(${name}\\)`)),
    );
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["null", "null"],
    ["a wrong type", { runningMax: "3" }],
    ["a null", { model: null }],
  ])("a file with %s", async (_, content) => {
    write("banyan.json", content);
    await expect(loadSettings({ folder })).rejects.toEqual(invalid(/banyan\.json/));
  });

  test("a file that was asked for and is not there", async () => {
    await expect(loadSettings({ folder, file: "none.json" })).rejects.toEqual(invalid(/none\.json cannot be read/));
  });
});

test("a budget needs a model whose price is known", async () => {
  await expect(loadSettings({ folder, options: { budgetUsd: 1, model: "mystery-1" } })).rejects.toEqual(
    invalid(/budgetUsd \(option budgetUsd\).*mystery-1/),
  );
  await expect(loadSettings({ folder, options: { budgetUsd: 1 } })).resolves.toMatchObject({
    settings: { budgetUsd: 1 },
  });
});

test("every setting says what it is for, in which unit, and has a variable of its own", () => {
  const variables = new Set<string>();
  for (const [name, schema] of Object.entries(SETTINGS.shape)) {
    expect(schema.description).toMatch(/^[A-Z].+\. .+\.$/);
    variables.add(variableOf(name as keyof typeof SETTINGS.shape));
  }
  expect(variables.size).toBe(Object.keys(SETTINGS.shape).length);
});
