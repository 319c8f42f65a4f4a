/** The main thread's end of the writer: what one commit takes, and what becomes of appends when the thread dies. */
import { EventEmitter } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { presentIsOver } from "../../../src/base/event-loop.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { Committer } from "../../../src/journal/sqlite/committer.ts";
import { appendOf, idOf } from "../../conformance/journal-world.ts";

/** A writer's thread that takes every commit, says of how many groups each was, and dies at the group "die". */
const WRITER = `
  const { parentPort } = require("node:worker_threads");
  parentPort.on("message", (message) => {
    if (message.do === "close") return parentPort.close();
    if (message.groups.some((group) => group[0].includes("die"))) process.exit(1);
    parentPort.postMessage({ is: "committed", refusals: message.groups.map(() => null), syncMs: 0 });
    parentPort.postMessage({ is: "seen", groups: message.groups.length });
  });`;

function committer() {
  const worker = new Worker(WRITER, { eval: true });
  const commits: number[] = [];
  worker.on("message", (message) => {
    if (message.is === "seen") commits.push(message.groups);
  });
  return { worker, commits, committer: new Committer(worker, () => undefined) };
}

const sized = (agent: number, bytes: number) => [[appendOf(idOf(agent), 0, "x")], bytes] as const;

test("a commit takes no more bytes than commitBytesMax; what is larger waits for the next, and one append always goes", async () => {
  const { committer: writer, commits } = committer();
  const half = LIMITS.commitBytesMax / 2;
  const sizes = [half, half, 1, LIMITS.commitBytesMax, half, half - 1, 1, 1];
  await Promise.all(sizes.map((bytes, index) => writer.append(...sized(index + 1, bytes))));
  await writer.close(() => undefined);
  expect(commits.reduce((sum, count) => sum + count, 0)).toBe(sizes.length);
  expect(commits[0]).toBe(2);
  expect(commits[1]).toBe(1);
  expect(commits[2]).toBe(1);
});

test("J1: when the writer's thread dies, appends under way and later ones are refused, and say what to do", async () => {
  const { committer: writer } = committer();
  await writer.append(...sized(1, 1));
  const fatal = [[appendOf(idOf(2), 0, "die")], 1] as const;
  const pending = [writer.append(...fatal), writer.append(...sized(3, 1))];
  const refused = { code: "DISK_FAILED", message: expect.stringContaining("open the data again") };
  for (const append of pending) await expect(append).rejects.toMatchObject(refused);
  await expect(writer.append(...sized(4, 1))).rejects.toMatchObject(refused);
  await writer.close(() => undefined);
  await expect(writer.append(...sized(5, 1))).rejects.toMatchObject({ code: "SHUTTING_DOWN" });
});

test("J1: a thread that is ended from outside is a thread that died", async () => {
  const { worker, committer: writer } = committer();
  await writer.append(...sized(1, 1));
  const pending = writer.append(...sized(2, 1)).then(
    () => "acknowledged",
    (error) => error.code,
  );
  await worker.terminate();
  expect(["acknowledged", "DISK_FAILED"]).toContain(await pending);
  await expect(writer.append(...sized(3, 1))).rejects.toMatchObject({ code: "DISK_FAILED" });
});

test("a writer as fast as its agents lets sockets and timers have their turn after every commit", async () => {
  const writer = new Committer(new InstantWriter() as unknown as Worker, () => undefined);
  let [acknowledged, turns] = [0, 0];
  const writing = (async () => {
    for (; acknowledged < 50; acknowledged++) await writer.append(...sized(1, 1));
  })();
  while (acknowledged < 50) {
    await presentIsOver();
    turns += 1;
  }
  await writing;
  expect(turns).toBeGreaterThanOrEqual(25);
});

/** Answers before the event loop goes on, as a port does whose messages are there already. */
class InstantWriter extends EventEmitter {
  postMessage(message: { do: "commit"; groups: unknown[] }): void {
    const refusals = message.groups.map(() => null);
    queueMicrotask(() => this.emit("message", { is: "committed", refusals, syncMs: 0 }));
  }

  ref(): void {}

  unref(): void {}
}
