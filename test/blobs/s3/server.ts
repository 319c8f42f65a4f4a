/** A real S3-compatible server in this process, and the AWS SDK beside our adapter: an independent reader and writer. */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(join(import.meta.dirname, "server/package.json"));

export const isInstalled = existsSync(join(import.meta.dirname, "server/node_modules/.package-lock.json"));
/** For the title of what is left out without it. */
export const WITH_SERVER = "s3rver and the AWS SDK (npm ci --prefix test/blobs/s3/server)";

export const CREDENTIALS = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
export const REGION = "us-east-1";

export interface S3Server {
  readonly url: string;
  /** Makes an empty bucket and gives its address. */
  bucket(name: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startS3Server(): Promise<S3Server> {
  const S3rver = require("@20minutes/s3rver");
  const directory = await mkdtemp(join(tmpdir(), "banyan-s3-"));
  const server = new S3rver({
    address: "127.0.0.1",
    port: 0,
    silent: true,
    directory,
    allowMismatchedSignatures: true,
  });
  const { port }: AddressInfo = await server.run();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    async bucket(name) {
      await new AwsReader(url, name).makeBucket();
      return `${url}/${name}`;
    },
    async stop() {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export class AwsReader {
  readonly #client: { send(command: unknown): Promise<Record<string, unknown>>; destroy(): void };
  readonly #commands: Record<string, new (input: object) => unknown>;
  readonly #bucket: string;

  constructor(endpoint: string, bucket: string, credentials = CREDENTIALS) {
    const sdk = require("@aws-sdk/client-s3");
    this.#client = new sdk.S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true });
    this.#commands = sdk;
    this.#bucket = bucket;
  }

  async makeBucket(): Promise<void> {
    await this.#send("CreateBucketCommand", {});
  }

  async read(key: string): Promise<Buffer> {
    const { Body } = await this.#send("GetObjectCommand", { Key: key });
    return Buffer.from(await (Body as { transformToByteArray(): Promise<Uint8Array> }).transformToByteArray());
  }

  async write(key: string, bytes: Uint8Array): Promise<void> {
    await this.#send("PutObjectCommand", { Key: key, Body: bytes });
  }

  async keys(): Promise<string[]> {
    const { Contents = [] } = await this.#send("ListObjectsV2Command", {});
    return (Contents as { Key: string }[]).map(({ Key }) => Key);
  }

  async uploads(): Promise<number> {
    const { Uploads = [] } = await this.#send("ListMultipartUploadsCommand", {});
    return (Uploads as unknown[]).length;
  }

  #send(name: string, input: object): Promise<Record<string, unknown>> {
    const Command = this.#commands[name];
    if (!Command) throw new Error(`the SDK has no ${name}`);
    return this.#client.send(new Command({ Bucket: this.#bucket, ...input }));
  }
}
