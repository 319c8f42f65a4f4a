/** The package as it is published: built by the compiler, found by its name, started by its command. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

let folder: string;
let manifest: { version: string; files: string[]; exports: Record<string, unknown> };

/** Lays out a folder with what `npm pack` would take, and the dependencies beside it. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "banyan-package-"));
  manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8"));
  await run("tsc", ["-p", "tsconfig.build.json", "--outDir", join(folder, "dist")], { cwd: ROOT });
  await cp(join(ROOT, "package.json"), join(folder, "package.json"));
  await cp(join(ROOT, "bin"), join(folder, "bin"), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test("every door of the exports map opens, and has types", async () => {
  const doors = Object.keys(manifest.exports).filter((door) => door !== "./package.json");
  const names = doors.map((door) => door.replace(/^\./, "banyan"));
  const script = `for (const name of ${JSON.stringify(names)}) console.log(Object.keys(await import(name)).length > 0);`;
  const { stdout } = await run("node", ["--input-type=module", "-e", script], { cwd: folder });
  expect(stdout.trim().split("\n")).toEqual(doors.map(() => "true"));
  for (const door of Object.values(manifest.exports)) {
    if (typeof door === "object" && door && "types" in door) await readFile(join(folder, String(door.types)));
  }
});

test("the command starts", async () => {
  const { stdout } = await run("node", ["bin/banyan.js", "--version"], { cwd: folder });
  expect(stdout.trim()).toBe(manifest.version);
});

test("an embedded runtime opens from the built files, worker and all", async () => {
  const script = `import { Banyan } from "banyan"; await using banyan = await Banyan.open("data"); console.log("open");`;
  const { stdout } = await run("node", ["--input-type=module", "-e", script], { cwd: folder });
  expect(stdout.trim()).toBe("open");
});

test("on an old Node the command says which one it needs and exits 1", async () => {
  const old = `data:text/javascript,Object.defineProperty(process.versions, "node", { value: "20.20.2" });`;
  const started = run("node", ["--import", old, "bin/banyan.js", "--version"], { cwd: folder });
  await expect(started).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("Node 24 or newer"),
  });
});
