/** Data of every released format are read for ever: verified, folded to the same states, and worked on. */
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Banyan } from "../../src/index.ts";
import { archiveRuntime, listArchived } from "../../src/runtime/archive.ts";
import { verifyFolder } from "../../src/runtime/verify.ts";
import { FORMATS, statesOf } from "./states.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "banyan-golden-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const copy = (format: string) => cp(join(import.meta.dirname, format), folder, { recursive: true });

test.each(FORMATS)("%s is whole", async (format) => {
  await copy(format);
  const found = await verifyFolder(folder);
  expect(found.damaged).toEqual([]);
  expect(found.agents).toBeGreaterThanOrEqual(5);
  expect(found.blobs).toBeGreaterThanOrEqual(2);
});

test.each(FORMATS)("%s folds to the states it had", async (format) => {
  await copy(format);
  expect(await statesOf(folder)).toEqual(JSON.parse(await readFile(join(folder, "states.json"), "utf8")));
});

test.each(FORMATS)("%s is worked on: its agents stand where they stood, and take commands", async (format) => {
  await copy(format);
  await using banyan = await Banyan.open(folder);
  expect(banyan.recovery.damaged).toEqual([]);
  const status = Object.fromEntries(banyan.roots().map((root) => [root.head.name, root.status]));
  expect(status).toMatchObject({ lead: "completed", alone: "completed", chat: "held" });
  await banyan.agent("chat").resume();
  expect(banyan.agent("chat").status).toBe("waiting");
});

test("data of format 1 are archived once they are open", async () => {
  await copy("format-1");
  const before = await statesOf(folder);
  await using banyan = await Banyan.open(folder);
  await archiveRuntime(banyan.runtime, { root: banyan.agent("alone").id });
  expect(listArchived(banyan.runtime)).toHaveLength(1);
  expect(await statesOf(folder)).toEqual(before);
});
