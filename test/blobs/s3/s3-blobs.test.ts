/** What only a bucket has: how little is sent, how little is kept in memory, and what others read of it. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import type { Blobs } from "../../../src/blobs/blobs.ts";
import { openS3Blobs } from "../../../src/blobs/s3/s3-blobs.ts";
import { blobsConformance } from "../../conformance/blobs.ts";
import { bytesOf, readBlob, streamOf } from "../../conformance/blobs-world.ts";
import { StrictS3 } from "../../support/strict-s3.ts";
import { AwsReader, CREDENTIALS, isInstalled, REGION, startS3Server, WITH_SERVER } from "./server.ts";

const keyOf = (digest: string) => `blobs/${digest.slice(7, 9)}/${digest.slice(7)}`;

async function inFake(use: (open: () => Promise<Blobs>, server: StrictS3, folder: string) => Promise<void>) {
  await using server = await new StrictS3().start();
  const folder = mkdtempSync(join(tmpdir(), "banyan-spool-"));
  const { url, region, credentials } = server;
  try {
    await use(() => openS3Blobs({ url, region, credentials, folder }), server, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

blobsConformance("a bucket of the strict server", async () => {
  const server = await new StrictS3().start();
  const folder = mkdtempSync(join(tmpdir(), "banyan-spool-"));
  const { url, region, credentials } = server;
  return {
    open: () => openS3Blobs({ url, region, credentials, folder }),
    async harm(digest, change) {
      const bytes = Buffer.from(change(server.objects.get(keyOf(digest))?.bytes ?? Buffer.alloc(0)));
      server.objects.set(keyOf(digest), { bytes, etag: "harmed" });
    },
    async dispose() {
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

test("B2: what stands there is not sent again, small or large, by this process or the next", () =>
  inFake(async (open, server) => {
    const sizes = [LIMITS.objectLookBytesMin, 2 * LIMITS.objectPartBytesMax + 5];
    for (const blobs of [await open(), await open()]) {
      for (const size of sizes) await blobs.put(streamOf(bytesOf(size, size), 1_000_000));
      for (const size of sizes) await blobs.put(bytesOf(size, size));
    }
    const sent = server.seen.filter((request) => /^(PUT|POST)/.test(request)).length;
    expect(sent).toBe(1 + (1 + 3 + 1));
    expect(server.uploads.size).toBe(0);
  }));

test("B4: a large stream goes through a file that is removed, and is read in windows", () =>
  inFake(async (open, server, folder) => {
    const blobs = await open();
    const chunk = bytesOf(1, 1_000_000);
    let files = 0;
    const { digest, bytes } = await blobs.put(
      (async function* () {
        for (let index = 0; index < 30; index += 1) {
          files = Math.max(files, readdirSync(join(folder, "tmp")).length);
          yield chunk;
        }
      })(),
    );
    expect([bytes, files, readdirSync(join(folder, "tmp"))]).toEqual([30_000_000, 1, []]);
    server.seen.length = 0;
    for await (const read of blobs.get(digest)) expect(read.length).toBeLessThanOrEqual(256 * 1024);
    expect(server.seen).toHaveLength(Math.ceil(bytes / LIMITS.objectPartBytesMax));
  }));

test("what the store refuses for now is what a disk refuses: agents wait for it", () =>
  inFake(async (open, server) => {
    const blobs = await open();
    server.fault = () => ({ status: 403, code: "AccessDenied" });
    const works = [() => blobs.put(bytesOf(1, 10)), () => blobs.has(`sha256:${"0".repeat(64)}`)];
    for (const work of works) {
      await expect(work()).rejects.toMatchObject({ code: "DISK_FAILED", message: expect.stringContaining("403") });
    }
  }));

describe.skipIf(!isInstalled)(`with ${WITH_SERVER}`, () => {
  test("the AWS SDK reads what was put in one piece and in several, and finds nothing left over", async () => {
    const server = await startS3Server();
    const folder = mkdtempSync(join(tmpdir(), "banyan-spool-"));
    try {
      const url = await server.bucket("read-back");
      const blobs = await openS3Blobs({ url, region: REGION, credentials: CREDENTIALS, folder });
      const aws = new AwsReader(server.url, "read-back");
      const sizes = [0, 10, 300_000, LIMITS.objectPartBytesMax, 2 * LIMITS.objectPartBytesMax + 77];
      const stored = [];
      for (const size of sizes) stored.push(await blobs.put(streamOf(bytesOf(size, size), 777_777)));
      for (const { digest, bytes } of stored) {
        expect((await aws.read(keyOf(digest))).equals(bytesOf(bytes, bytes))).toBe(true);
        expect((await readBlob(blobs, digest)).equals(bytesOf(bytes, bytes))).toBe(true);
      }
      expect((await aws.keys()).sort()).toEqual(stored.map(({ digest }) => keyOf(digest)).sort());
    } finally {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
