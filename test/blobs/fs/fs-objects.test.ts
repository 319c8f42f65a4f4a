import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFsObjects } from "../../../src/blobs/fs/fs-objects.ts";
import { objectsConformance } from "../../conformance/objects.ts";

function world() {
  const folder = mkdtempSync(join(tmpdir(), "banyan-objects-"));
  const dispose = async () => rmSync(folder, { recursive: true, force: true });
  return { folder, objects: openFsObjects(folder), [Symbol.asyncDispose]: dispose };
}

objectsConformance("a folder", async () => world());

test("O1: what a crash left of a write is not listed, and a folder that cannot be read is not an empty one", async () => {
  await using at = world();
  await at.objects.put("a/1", Buffer.from("one"));
  writeFileSync(join(at.folder, "a", ".0half"), "on");
  expect((await Array.fromAsync(at.objects.list("a/"))).map(({ key }) => key)).toEqual(["a/1"]);
  writeFileSync(join(at.folder, "file"), "");
  await expect(Array.fromAsync(at.objects.list("file/"))).rejects.toMatchObject({ code: "DISK_FAILED" });
});
