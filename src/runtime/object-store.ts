/**
 * Where a backup is: a folder, or a bucket of an S3-compatible store, told apart by how its place is written. Keys of access come from the
 * environment alone.
 */
import { resolve } from "node:path";
import { systemClock } from "../base/clock.ts";
import { BanyanError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { openFsObjects } from "../blobs/fs/fs-objects.ts";
import type { Objects } from "../blobs/objects.ts";
import type { S3Credentials } from "../blobs/s3/requests.ts";

/** A folder's path, or a bucket's address: `https://host/bucket`. */
export type ObjectPlace = string;

const ADDRESS = /^https?:\/\//;

/** The same place is written in one way. A path is taken from `folder` on. */
export function objectPlace(text: string, folder = "."): ObjectPlace {
  return ADDRESS.test(text) ? text.replace(/\/+$/, "") : resolve(folder, text);
}

export interface AccessOptions {
  readonly region?: string | undefined;
  readonly environment?: Environment | undefined;
}

/** @throws CONFIG_INVALID, DISK_FAILED */
export async function openObjects(
  place: ObjectPlace,
  { region = "us-east-1", environment = process.env }: AccessOptions = {},
): Promise<Objects> {
  if (!ADDRESS.test(place)) return openFsObjects(resolve(place));
  const credentials = credentialsOf(environment);
  const [{ S3Requests }, { S3Objects }] = await Promise.all([
    import("../blobs/s3/requests.ts"),
    import("../blobs/s3/s3-objects.ts"),
  ]);
  const services = { clock: systemClock(), random: systemRandom };
  return new S3Objects(new S3Requests({ url: place, region, credentials }, services));
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws CONFIG_INVALID */
export function credentialsOf(environment: Environment): S3Credentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (!accessKeyId || !secretAccessKey) {
    throw new BanyanError(
      "CONFIG_INVALID",
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set to reach the bucket",
    );
  }
  return { accessKeyId, secretAccessKey, sessionToken: environment.AWS_SESSION_TOKEN };
}
