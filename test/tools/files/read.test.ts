import { afterAll, expect, test } from "vitest";
import { openRoot } from "../../../src/tools/files/pin.ts";
import { chunksOf, openFile } from "../../../src/tools/files/read.ts";
import { makeWorld } from "./world.ts";

const BYTES = 700_000;
const world = makeWorld({ file: Buffer.alloc(BYTES, "abcdefghij") });
afterAll(() => world[Symbol.dispose]());

const read = async (bytes: number) => {
  const root = await openRoot({ root: world.root, commands: false, spawn: false });
  await using pin = await root.pin("file");
  await using handle = await openFile(pin, "file");
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(handle, bytes, new AbortController().signal)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
};

test.each([0, 1, 262_144, 262_145, 600_001, BYTES])(
  "of a file that grew, just the %i bytes that it had",
  async (bytes) => {
    expect((await read(bytes)).equals(Buffer.alloc(bytes, "abcdefghij"))).toBe(true);
  },
);

test("of a file that shrank, what is left", async () => {
  expect(await read(BYTES + 1)).toHaveLength(BYTES);
});
