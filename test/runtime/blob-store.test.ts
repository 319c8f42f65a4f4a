import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { type BlobStoreOptions, openBlobStore } from "../../src/runtime/blob-store.ts";
import { bytesOf, readBlob } from "../conformance/blobs-world.ts";
import { StrictS3 } from "../support/strict-s3.ts";

let folder = "";
let server: StrictS3;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "banyan-store-"));
  server = await new StrictS3().start();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const environmentOf = ({ credentials }: StrictS3) => ({
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_SESSION_TOKEN: credentials.sessionToken,
});

const open = (options: Partial<BlobStoreOptions> = {}) =>
  openBlobStore(folder, {
    settled: false,
    readOnly: false,
    environment: environmentOf(server),
    clock: systemClock(),
    random: seededRandom(1),
    ...options,
  });
const bucket = () => ({ url: server.url, region: server.region });

test("the folder remembers its bucket, and has no key of it", async () => {
  const blobs = await open({ bucket: bucket() });
  const { digest } = await blobs.put(bytesOf(1, 10_000));
  await blobs.close();
  expect([...server.objects.keys()]).toEqual([`blobs/${digest.slice(7, 9)}/${digest.slice(7)}`]);
  const stands = readFileSync(join(folder, "blobs.json"), "utf8");
  expect(JSON.parse(stands)).toEqual(bucket());
  for (const options of [{}, { bucket: bucket() }, { readOnly: true }]) {
    const again = await open({ settled: true, ...options });
    expect((await readBlob(again, digest)).equals(bytesOf(1, 10_000))).toBe(true);
    await again.close();
  }
});

test("a bucket that is not the folder's is refused, and so is one for data that has its blobs in the folder", async () => {
  await (await open({ bucket: bucket() })).close();
  const other = { ...bucket(), region: "eu-other-1" };
  await expect(open({ settled: true, bucket: other })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  rmSync(join(folder, "blobs.json"));
  await (await open()).close();
  await expect(open({ settled: true, bucket: bucket() })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("its own folder"),
  });
});

test("wrong or missing credentials are told when it is opened, and nothing is settled by it", async () => {
  const environment = { ...environmentOf(server), AWS_SECRET_ACCESS_KEY: "another-secret-of-mine" };
  await expect(open({ bucket: bucket(), environment })).rejects.toMatchObject({
    code: "STORE_DENIED",
    message: expect.not.stringContaining("of-mine"),
  });
  await expect(open({ bucket: bucket(), environment: {} })).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  expect(existsSync(join(folder, "blobs.json"))).toBe(false);
});
