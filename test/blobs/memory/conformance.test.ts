import type { Digest } from "../../../src/blobs/blobs.ts";
import { MemoryBlobs } from "../../../src/blobs/memory/memory-blobs.ts";
import { blobsConformance } from "../../conformance/blobs.ts";

blobsConformance("memory", async () => {
  const store = new Map<Digest, Uint8Array>();
  return {
    open: async () => new MemoryBlobs(store),
    harm: async (digest, change) => void store.set(digest, change(Buffer.from(store.get(digest) ?? ""))),
    dispose: async () => {},
  };
});
