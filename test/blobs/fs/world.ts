/** A folder of blobs in a temporary place, and what tests do to its files. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Blobs, Digest } from "../../../src/blobs/blobs.ts";
import { openFsBlobs } from "../../../src/blobs/fs/fs-blobs.ts";
import type { BlobsWorld } from "../../conformance/blobs-world.ts";

export interface FsBlobsWorld extends BlobsWorld {
  readonly folder: string;
  pathOf(digest: Digest): string;
}

export async function fsBlobsWorld(): Promise<FsBlobsWorld> {
  const root = await mkdtemp(join(tmpdir(), "banyan-blobs-"));
  const folder = join(root, "blobs");
  const opened: Blobs[] = [];
  const pathOf = (digest: Digest) => join(folder, digest.slice(7, 9), digest.slice(7));
  return {
    folder,
    pathOf,
    async open() {
      const blobs = await openFsBlobs({ folder });
      opened.push(blobs);
      return blobs;
    },
    async harm(digest, change) {
      await writeFile(pathOf(digest), change(await readFile(pathOf(digest))));
    },
    async dispose() {
      for (const blobs of opened) await blobs.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
