import { blobsConformance } from "../../conformance/blobs.ts";
import { fsBlobsWorld } from "./world.ts";

blobsConformance("a folder", fsBlobsWorld);
