/** `banyan archive`, as an operator uses it. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { artifacts } from "../../../src/tools/kits.ts";
import { banyan } from "../../support/command-line.ts";
import { openFleet } from "../../support/fleet.ts";

test("a tree that ended is moved, listed, verified and brought back; what is missing is told of", async () => {
  await using fleet = await openFleet();
  const price = { input: 1, output: 2, cacheRead: 0.1, cacheWrite: 1.25 };
  const task = `write map ${"far and wide ".repeat(2_000)}`;
  const root = await fleet.banyan.spawn({ name: "survey", model: fleet.model, task, tools: [artifacts()], price });
  await root.result();
  await fleet.banyan.close();
  const archive = (...words: string[]) => banyan(["archive", ...words, "--data", fleet.folder]);
  expect((await archive("ls")).err).toContain("nothing is in an archive");
  const tree = async (...words: string[]) => (await banyan(["tree", ...words, "--data", fleet.folder])).out;
  expect(await tree()).not.toContain("archive");
  expect(JSON.parse(await tree("--json"))[0]).not.toHaveProperty("archives");
  expect((await archive("create", "--dry-run")).out).toMatch(
    /\/survey +\d+ .*\n1 tree, \d+ records, .* would be moved/,
  );
  expect((await archive("create", "--ended-for", "1h")).out).toContain("0 trees");
  expect((await archive("create", "--shrink")).out).toMatch(/1 tree, .* moved[\s\S]*the database had .* and has/);
  expect((await archive("ls")).out).toMatch(/\/survey .* archive\/ +\w{26}/);
  expect(JSON.parse((await archive("ls", "--json")).out)).toMatchObject([{ path: "/survey", parts: 1, place: "" }]);
  for (const words of [[], ["survey"]]) {
    expect(await tree(...words)).toMatch(/\/survey is archived in archive\/: \d+ records, .*, moved \d{4}-\d\d-\d\d/);
    const [top] = JSON.parse(await tree(...words, "--json"));
    expect(top.archives).toEqual([
      { place: "", parts: 1, records: expect.any(Number), bytes: expect.any(Number), time: expect.any(Number) },
    ]);
  }
  expect(await archive("verify")).toMatchObject({ exit: 0, out: expect.stringContaining("1 part read") });
  expect((await archive("restore", "survey")).out).toMatch(/^\/survey: \d+ records back/);
  expect(await archive("restore", "survey")).toMatchObject({ exit: 2 });
  expect(await archive("create", "--tree", "survey")).toMatchObject({ exit: 0 });

  const parts = join(fleet.folder, "archive", root.id);
  for (const part of readdirSync(parts)) rmSync(join(parts, part));
  expect(await archive("verify")).toMatchObject({ exit: 1, out: expect.stringContaining("missing from the archive") });
  expect(await archive("restore", "survey")).toMatchObject({ exit: 5 });
  expect(await banyan(["verify", "--data", fleet.folder])).toMatchObject({ exit: 1 });
});
