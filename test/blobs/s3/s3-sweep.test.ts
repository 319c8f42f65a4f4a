/** A sweep of a bucket whose store loses answers, is busy, refuses, or lags behind. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Clock, ManualClock, systemClock } from "../../../src/base/clock.ts";
import { presentIsOver } from "../../../src/base/event-loop.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import type { Digest } from "../../../src/blobs/blobs.ts";
import { RecentPuts } from "../../../src/blobs/recent-puts.ts";
import { openS3Blobs } from "../../../src/blobs/s3/s3-blobs.ts";
import { sweepObjects } from "../../../src/blobs/s3/s3-sweep.ts";
import { bytesOf, readBlob } from "../../conformance/blobs-world.ts";
import { StrictS3 } from "../../support/strict-s3.ts";

const SIZES = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120];
const ALL = { keeps: () => false, graceMs: 0, dryRun: false };
const keyOf = (digest: Digest) => `blobs/${digest.slice(7, 9)}/${digest.slice(7)}`;

/** Waits between tries are over at once, and answers have time to come. */
function hurried(): Clock {
  const { now, monotonic, timer } = systemClock();
  return { now, monotonic, timer: (delayMs, fire) => timer(delayMs < LIMITS.objectRequestMsMax ? 0 : delayMs, fire) };
}

/** What an earlier process left in a bucket, and the blobs of the next one. */
async function world() {
  const server = await new StrictS3().start();
  const folder = mkdtempSync(join(tmpdir(), "banyan-spool-"));
  const { url, region, credentials } = server;
  const open = () => openS3Blobs({ url, region, credentials, folder, clock: hurried() });
  const before = await open();
  for (const size of SIZES) await before.put(bytesOf(size, size));
  await before.close();
  const blobs = await open();
  return {
    ...{ server, blobs },
    async [Symbol.asyncDispose]() {
      await blobs.close();
      await server[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

test("V2: answers that are lost, cut lines and a busy store cost time alone", async () => {
  await using given = await world();
  const faults = ["lose the answer", "cut", { status: 503, code: "SlowDown" }] as const;
  const failed = new Set<string>();
  given.server.fault = (request) => {
    if (!request.startsWith("DELETE") || failed.has(request)) return undefined;
    failed.add(request);
    return faults[failed.size % faults.length];
  };
  expect(await given.blobs.sweep(ALL)).toMatchObject({ kept: 0, removed: SIZES.length, bytesAfter: 0 });
  expect(given.server.objects.size).toBe(0);
  expect(failed.size).toBe(SIZES.length);
});

test("a store that refuses removals ends the sweep with what a disk refuses, and everything that is kept stands", async () => {
  await using given = await world();
  const digests = (await Array.fromAsync(given.blobs.list())).map(({ digest }) => digest);
  const kept = new Set(digests.filter((_, index) => index % 2 === 0));
  given.server.fault = (request) => (request.startsWith("DELETE") ? { status: 403, code: "AccessDenied" } : undefined);
  const wanted = { ...ALL, keeps: (digest: Digest) => kept.has(digest) };
  await expect(given.blobs.sweep(wanted)).rejects.toMatchObject({ code: "DISK_FAILED" });
  given.server.fault = () => undefined;
  for (const digest of kept) expect(await given.blobs.verify(digest)).toBe(true);
  expect(await given.blobs.sweep(wanted)).toMatchObject({ kept: kept.size });
  expect(given.server.objects.size).toBe(kept.size);
});

test("V1: a put that comes while its blob is being removed waits, looks again and sends anew", async () => {
  await using given = await world();
  const bytes = bytesOf(10, 10);
  const order: string[] = [];
  let put: Promise<{ digest: Digest }> | undefined;
  given.server.fault = (request) => {
    order.push(request);
    // The store has been asked to remove it, and has not yet done so.
    if (request.startsWith("DELETE")) put ??= given.blobs.put(bytes);
    return undefined;
  };
  const one = (await Array.fromAsync(given.blobs.list())).find((blob) => blob.bytes === 10)?.digest as Digest;
  await given.blobs.sweep({ ...ALL, keeps: (digest) => digest !== one });
  expect((await put)?.digest).toBe(one);
  expect((await readBlob(given.blobs, one)).equals(bytes)).toBe(true);
  expect(order.indexOf(`PUT ${keyOf(one)}`)).toBeGreaterThan(order.indexOf(`DELETE ${keyOf(one)}`));
});

test("removals are few at a time", async () => {
  let [now, most] = [0, 0];
  const blobs = (async function* () {
    for (let index = 0; index < 50; index += 1) {
      yield { digest: `sha256:${String(index).padStart(64, "0")}` as Digest, bytes: 1 };
    }
  })();
  const remove = async () => {
    now += 1;
    most = Math.max(most, now);
    await presentIsOver();
    now -= 1;
  };
  const { signal } = new AbortController();
  await sweepObjects({ blobs, stays: () => false, remove, dryRun: false, signal });
  expect(most).toBe(LIMITS.collectRequestsMax);
});

test("puts are remembered for as long as a grace may be, and let go by the hour", async () => {
  const clock = new ManualClock();
  const recent = new RecentPuts(clock);
  const [early, late] = ["a", "b"].map((letter) => `sha256:${letter.repeat(64)}` as Digest) as [Digest, Digest];
  const hours = (count: number) => clock.advance(count * 3_600_000);
  recent.note(early);
  await hours(5);
  recent.note(late);
  expect([recent.has(early, 4 * 3_600_000), recent.has(early, 5 * 3_600_000)]).toEqual([false, true]);
  expect([recent.has(late, 0), recent.has(late, LIMITS.collectRememberedMs)]).toEqual([true, true]);
  await hours(24 * 7);
  recent.note(late);
  expect(recent.has(early, LIMITS.collectRememberedMs)).toBe(false);
  expect(() => recent.has(late, LIMITS.collectRememberedMs + 1)).toThrow(
    expect.objectContaining({ code: "INPUT_INVALID" }),
  );
});
