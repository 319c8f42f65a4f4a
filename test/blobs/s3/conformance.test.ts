import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { Blobs } from "../../../src/blobs/blobs.ts";
import { openS3Blobs } from "../../../src/blobs/s3/s3-blobs.ts";
import { blobsConformance } from "../../conformance/blobs.ts";
import type { BlobsWorld } from "../../conformance/blobs-world.ts";
import { AwsReader, CREDENTIALS, isInstalled, REGION, type S3Server, startS3Server, WITH_SERVER } from "./server.ts";

describe.skipIf(!isInstalled)(`with ${WITH_SERVER}`, () => {
  let server: S3Server;
  let buckets = 0;
  beforeAll(async () => {
    server = await startS3Server();
  });
  afterAll(() => server.stop());

  blobsConformance("a bucket of s3rver", async (): Promise<BlobsWorld> => {
    buckets += 1;
    const bucket = `bucket-${buckets}`;
    const url = await server.bucket(bucket);
    const folder = await mkdtemp(join(tmpdir(), "banyan-spool-"));
    const opened: Blobs[] = [];
    const aws = new AwsReader(server.url, bucket);
    return {
      async open() {
        const blobs = await openS3Blobs({ url, region: REGION, credentials: CREDENTIALS, folder });
        opened.push(blobs);
        return blobs;
      },
      async harm(digest, change) {
        const key = `blobs/${digest.slice(7, 9)}/${digest.slice(7)}`;
        await aws.write(key, change(await aws.read(key)));
      },
      async dispose() {
        for (const blobs of opened) await blobs.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  });
});
