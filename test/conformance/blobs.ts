/** The blobs' conformance: every adapter passes all of it. The numbers in the titles are those of src/blobs/blobs.ts. */
import { describe } from "vitest";
import { damageSuite } from "./blobs-damage.ts";
import { putSuite } from "./blobs-put.ts";
import { blobReadSuite } from "./blobs-read.ts";
import { sweepSuite } from "./blobs-sweep.ts";
import type { MakeBlobsWorld } from "./blobs-world.ts";

/** `make` is called for every test, and makes a new, empty store. */
export function blobsConformance(name: string, make: MakeBlobsWorld): void {
  describe(`blobs in ${name}`, () => {
    putSuite(make);
    blobReadSuite(make);
    damageSuite(make);
    sweepSuite(make);
  });
}
