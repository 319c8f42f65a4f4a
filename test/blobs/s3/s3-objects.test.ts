/** What the strict fake can show: signatures, conditions, and every way in which a request goes wrong. */
import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { seededRandom } from "../../../src/base/random.ts";
import type { Objects } from "../../../src/blobs/objects.ts";
import { S3Requests } from "../../../src/blobs/s3/requests.ts";
import { S3Objects } from "../../../src/blobs/s3/s3-objects.ts";
import { bytesOf } from "../../conformance/blobs-world.ts";
import { objectsConformance } from "../../conformance/objects.ts";
import { type Fault, StrictS3 } from "../../support/strict-s3.ts";

/** Waits between tries are 500 times shorter than they say, and nobody is waited for longer than `answerMs`. */
function hurried(answerMs: number): Clock {
  const { now, monotonic, timer } = systemClock();
  const shorter = (delayMs: number) => (delayMs === LIMITS.objectRequestMsMax ? answerMs : delayMs / 500);
  return { now, monotonic, timer: (delayMs, fire) => timer(shorter(delayMs), fire) };
}
const clock = hurried(5_000);

type Access = Partial<{ region: string; credentials: StrictS3["credentials"]; clock: Clock }>;

function client(server: StrictS3, { clock: its = clock, ...other }: Access = {}): Objects {
  const { url, region, credentials } = server;
  const access = { url, region, credentials, ...other };
  return new S3Objects(new S3Requests(access, { clock: its, random: seededRandom(1) }));
}

const inServer = (use: (objects: Objects, server: StrictS3) => Promise<void>) => async () => {
  await using server = await new StrictS3().start();
  await use(client(server), server);
};

objectsConformance("a bucket of the strict server", async () => {
  const server = await new StrictS3().start();
  return { objects: client(server), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
});

const readAll = async (objects: Objects, key: string, range?: { from: number; to: number }) =>
  Buffer.concat(await Array.fromAsync(objects.get(key, range)));

async function* parts(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += LIMITS.objectPartBytesMax)
    yield bytes.subarray(at, at + LIMITS.objectPartBytesMax);
}

const is = (fault: Fault, status: number) => typeof fault === "object" && fault.status === status;

const PASSING: readonly Fault[] = [
  { status: 503, code: "SlowDown" },
  { status: 500, code: "InternalError" },
  { status: 429, code: "TooManyRequests" },
  { status: 400, code: "RequestTimeout" },
  "cut",
  "truncate",
  "silent",
  "lose the answer",
];

test.each(PASSING.map((fault) => ({ fault, name: inspect(fault) })))(
  "O5: every kind of request is done in spite of $name, twice each",
  ({ fault }) =>
    inServer(async (objects, server) => {
      // An answer to HEAD has no body to say why; a silence takes its time.
      const strikes = (request: string, index: number) =>
        fault === "silent" ? index === 1 : index % 3 < 2 && !(request.startsWith("HEAD") && is(fault, 400));
      server.fault = (request, index) => (strikes(request, index) ? fault : undefined);
      const small = bytesOf(1, 1_000);
      const large = bytesOf(2, LIMITS.objectPartBytesMax + 10);
      for (const key of ["a/1", "a/2", "a/3", "b/1"])
        expect(await objects.put(key, small)).toMatchObject({ key, bytes: 1_000 });
      await objects.putParts("large", parts(large));
      expect((await readAll(objects, "large")).equals(large)).toBe(true);
      expect((await readAll(objects, "a/1", { from: 10, to: 20 })).equals(small.subarray(10, 20))).toBe(true);
      expect((await Array.fromAsync(objects.list("a/"))).map(({ key }) => key)).toEqual(["a/1", "a/2", "a/3"]);
      await objects.delete("a/2");
      expect(await objects.head("a/2")).toBeUndefined();
      expect(await objects.head("large")).toMatchObject({ bytes: large.length });
    })(),
);

test.each(PASSING.map((fault) => ({ fault, name: inspect(fault) })))(
  "O5, O6: what goes on failing is told, without a secret: $name",
  ({ fault }) =>
    inServer(async (_, server) => {
      const objects = client(server, { clock: hurried(100) });
      server.fault = () => fault;
      for (const work of [() => objects.put("key", bytesOf(1, 10)), () => readAll(objects, "key")]) {
        const error = await work().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (fault === "truncate" && error === undefined) continue;
        expect(error).toMatchObject({ code: expect.stringMatching(/^STORE_FAILED$|^OBJECT_NOT_FOUND$/) });
        expect(inspect(error, { depth: 10 })).not.toContain("secret-that");
      }
      expect(server.seen.length).toBeLessThanOrEqual(2 * LIMITS.objectAttemptsMax);
    })(),
);

test(
  "O6: wrong credentials are told at once, without them",
  inServer(async (_, server) => {
    const wrong = [
      { credentials: { ...server.credentials, secretAccessKey: "another-secret-of-mine" } },
      { credentials: { ...server.credentials, accessKeyId: "AKIDOTHER" } },
      { credentials: { ...server.credentials, sessionToken: "another-token-of-mine" } },
      { region: "us-east-1" },
    ];
    for (const access of wrong) {
      const error = await client(server, access)
        .put("key", bytesOf(1, 10))
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "STORE_DENIED",
        message: expect.stringMatching(/^the object store: PUT key: 403 \w+$/),
      });
      expect(inspect(error, { depth: 10 })).not.toMatch(/of-mine|AKID|secret-that/);
    }
    expect(server.seen).toEqual([]);
  }),
);

test(
  "O2: a writer whose answer was lost knows its own object from another's",
  inServer(async (objects, server) => {
    server.fault = (_, index) => (index === 0 ? "lose the answer" : undefined);
    expect(await objects.put("lease", bytesOf(1, 100), { absent: true })).toMatchObject({ bytes: 100 });
    let other = false;
    server.fault = () => {
      if (other) return undefined;
      other = true;
      return "cut";
    };
    expect(await objects.put("lease", bytesOf(2, 100), { absent: true })).toBeUndefined();
    expect((await readAll(objects, "lease")).equals(bytesOf(1, 100))).toBe(true);
  }),
);

test(
  "O3: an object that changes while it is read is never mixed",
  inServer(async (objects, server) => {
    const [one, two] = [1, 2].map((seed) => bytesOf(seed, 2 * LIMITS.objectPartBytesMax));
    await objects.putParts("key", parts(one as Buffer));
    const read = objects.get("key")[Symbol.asyncIterator]();
    await read.next();
    await objects.putParts("key", parts(two as Buffer));
    const rest = async () => {
      while (!(await read.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: "STORE_FAILED" });
    server.objects.delete("key");
    await expect(readAll(objects, "key")).rejects.toMatchObject({ code: "OBJECT_NOT_FOUND" });
  }),
);

test(
  "O1: an upload that fails leaves neither an object nor its parts",
  inServer(async (objects, server) => {
    const broken = (async function* () {
      yield bytesOf(1, LIMITS.objectPartBytesMax);
      throw new Error("the source broke");
    })();
    await expect(objects.putParts("key", broken)).rejects.toThrow("the source broke");
    expect([server.uploads.size, server.objects.size]).toEqual([0, 0]);
  }),
);

test(
  "O3: ranges are those of the bytes, whatever goes wrong on the way",
  inServer(async (objects, server) => {
    const bytes = bytesOf(3, 5_000);
    await objects.put("key", bytes);
    const random = seededRandom(7);
    server.fault = () => (random.next() < 0.2 ? PASSING[Math.floor(random.next() * 6)] : undefined);
    const place = fc.integer({ min: 0, max: 6_000 });
    await fc.assert(
      fc.asyncProperty(place, place, async (from, to) => {
        const read = await readAll(objects, "key", { from, to });
        expect(read.equals(bytes.subarray(from, Math.max(from, to)))).toBe(true);
      }),
      { numRuns: 100, seed: 1 },
    );
  }),
);

test(
  "URLs that carry more than a bucket are refused",
  inServer(async (_, server) => {
    for (const url of ["", "ftp://host/b", "https://user:secret-that@host/b", "https://host/b?x=1", "bucket"]) {
      const make = () =>
        new S3Requests({ url, region: "r", credentials: server.credentials }, { clock, random: seededRandom(1) });
      expect(make).toThrow(
        expect.objectContaining({ code: "CONFIG_INVALID", message: expect.not.stringContaining("secret") }),
      );
    }
  }),
);
