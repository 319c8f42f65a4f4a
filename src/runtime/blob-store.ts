/**
 * Where the blobs of a data folder are: in the folder, or in a bucket of an S3-compatible store. That is settled when the folder is
 * made and written into it (`blobs.json`), so that whoever opens it later looks in the right place. Keys of access never
 * stand there: they come from the environment.
 */
import { open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { openFsBlobs } from "../blobs/fs/fs-blobs.ts";
import { credentialsOf, type Environment } from "./object-store.ts";

const BUCKET = z.strictObject({ url: z.string(), region: z.string().default("us-east-1") });

/** `url`: the bucket's address, `https://host/bucket` or `https://bucket.host`. A fleet has a bucket of its own. */
export type Bucket = z.input<typeof BUCKET>;

export interface BlobStoreOptions {
  readonly bucket?: Bucket | undefined;
  /** The folder had data before: where its blobs are is settled. */
  readonly settled: boolean;
  readonly readOnly: boolean;
  readonly environment: Environment;
  readonly clock: Clock;
  readonly random: Random;
}

/** @throws CONFIG_INVALID, STORE_DENIED, STORE_FAILED, DISK_FAILED */
export async function openBlobStore(folder: string, options: BlobStoreOptions): Promise<Blobs> {
  const { readOnly, environment, clock, random } = options;
  const local = join(folder, "blobs");
  const place = join(folder, "blobs.json");
  const bucket = await settle(place, options);
  if (!bucket) return openFsBlobs({ folder: local, readOnly });
  const credentials = credentialsOf(environment);
  const { openS3Blobs } = await import("../blobs/s3/s3-blobs.ts");
  const blobs = await openS3Blobs({ ...bucket, credentials, folder: local, readOnly, clock, random });
  // Only a bucket that answered is settled on.
  if (!options.settled && !readOnly) await write(place, `${JSON.stringify(bucket)}\n`);
  return blobs;
}

/** What the folder says, or what was asked for where it says nothing yet. @throws CONFIG_INVALID, DISK_FAILED */
async function settle(path: string, { bucket, settled }: BlobStoreOptions) {
  const wanted = bucket && BUCKET.parse(bucket);
  const found = await readFile(path, "utf8").catch((cause) => {
    if (cause.code === "ENOENT") return undefined;
    throw new BanyanError("DISK_FAILED", `${path} cannot be read: ${cause.message}`, { cause });
  });
  if (settled) {
    const stands = found === undefined ? undefined : parsed(path, found);
    if (wanted && (stands?.url !== wanted.url || stands.region !== wanted.region)) {
      const where = stands ? `${stands.url} (${stands.region})` : "its own folder";
      throw new BanyanError(
        "CONFIG_INVALID",
        `the blobs of this data are in ${where}, not in ${wanted.url} (${wanted.region})`,
      );
    }
    return stands;
  }
  return wanted;
}

function parsed(path: string, text: string) {
  try {
    return BUCKET.parse(JSON.parse(text));
  } catch (cause) {
    throw new BanyanError("CONFIG_INVALID", `${path} does not say where the blobs are`, { cause });
  }
}

/** Whole or absent. The journal is made after it: a crash in between leaves a folder where nothing is settled. */
async function write(path: string, text: string): Promise<void> {
  try {
    const file = await open(`${path}.new`, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    const folder = await open(dirname(path), "r");
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    throw new BanyanError("DISK_FAILED", `${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
