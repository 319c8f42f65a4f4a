import { objectsConformance } from "../conformance/objects.ts";
import { MemoryObjects } from "./memory-objects.ts";

objectsConformance("memory", async () => ({
  objects: new MemoryObjects(),
  [Symbol.asyncDispose]: async () => undefined,
}));
