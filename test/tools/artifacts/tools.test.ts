import { expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { listArtifacts, readArtifact, writeArtifact } from "../../../src/tools/artifacts/tools.ts";
import { call, failureOf, toolContext } from "../context.ts";

const digest = "sha256:2d8bd7d9bb5f85ba643f0110d50cb506a1fe439e769a22503193ea6046bb87f7"; // of "one\ntwo\n"

test("what is written can be read, by name and by reference", async () => {
  const context = toolContext();
  const written = await call(
    writeArtifact,
    { name: "map.md", content: "one\ntwo\n", mediaType: "text/markdown" },
    context,
  );
  expect(written).toMatch(/^artifact map\.md sha256:[0-9a-f]{64} 8 bytes$/);
  const ref = written.split(" ")[2] as string;
  expect(await call(readArtifact, { name: "map.md" }, context)).toBe("map.md: lines 1-2 of 2, 8 bytes\none\ntwo");
  expect(await call(readArtifact, { ref, offset: 2, limit: 1 }, context)).toBe(`${ref}: lines 2-2 of 2, 8 bytes\ntwo`);
  expect(await call(listArtifacts, {}, context)).toBe(`1 artifacts\nmap.md 8 text/markdown ${ref}`);
});

test("bytes are those of UTF-8, the media type is text unless it is said", async () => {
  const context = toolContext();
  expect(await call(writeArtifact, { name: "a", content: "é" }, context)).toMatch(/ 2 bytes$/);
  expect(await call(listArtifacts, {}, context)).toMatch(/\na 2 text\/plain sha256:/);
});

test("an empty artifact is no mistake", async () => {
  const context = toolContext();
  await call(writeArtifact, { name: "empty", content: "" }, context);
  expect(await call(readArtifact, { name: "empty" }, context)).toBe("empty: lines 0-0 of 0, 0 bytes");
});

test("one over the limit is refused before it is stored", async () => {
  const context = toolContext();
  const content = "é".repeat(LIMITS.contentBytesMax / 2 + 1);
  expect((await failureOf(call(writeArtifact, { name: "big", content }, context))).code).toBe("CONTENT_TOO_LARGE");
  expect(await call(listArtifacts, {}, context)).toBe("0 artifacts");
});

test.each([
  [writeArtifact, { name: "../up", content: "" }, /^name: /],
  [writeArtifact, { name: "a/b", content: "" }, /^name: /],
  [writeArtifact, { name: "-rf", content: "" }, /^name: /],
  [writeArtifact, { name: "a\n", content: "" }, /^name: /],
  [writeArtifact, { name: "a".repeat(65), content: "" }, /^name: /],
  [writeArtifact, { name: "a", content: "", mediaType: "text/html\r\nSet-Cookie: a=b" }, /^mediaType: /],
  [readArtifact, {}, /^name: give either/],
  [readArtifact, { name: "a", ref: digest }, /^name: give either/],
  [readArtifact, { ref: "sha256:abc" }, /^ref: not a reference/],
  [readArtifact, { ref: digest, agent: "child" }, /^agent: /],
])("%# a bad input names its field", async (tool, input, message) => {
  const failure = await failureOf(call(tool, input, toolContext()));
  expect(failure.code).toBe("INPUT_INVALID");
  expect(failure.message).toMatch(message);
});

test("lines that match a pattern are found in an artifact, and the search goes on where it was cut", async () => {
  const context = toolContext();
  const content = Array.from(
    { length: 1_000 },
    (_, index) => `line ${index + 1}${index % 100 === 0 ? " ERROR" : ""}\r\n`,
  );
  await call(writeArtifact, { name: "run.log", content: content.join("") }, context);
  const search = (input: object) => call(readArtifact, { name: "run.log", pattern: "ERR[OR]+$", ...input }, context);
  expect(await search({ limit: 2 })).toBe(
    "run.log: 10 matches in lines 1-1000\n1:line 1 ERROR\n101:line 101 ERROR\n... not all shown: continue with offset 201",
  );
  expect(await search({ offset: 802 })).toBe("run.log: 1 matches in lines 802-1000\n901:line 901 ERROR");
  expect(await search({ pattern: "absent" })).toBe("run.log: 0 matches in lines 1-1000");
  expect((await failureOf(search({ pattern: "(" }))).code).toBe("INPUT_INVALID");
});

test("what a search shows and keeps is bounded, whatever the lines", async () => {
  const context = toolContext();
  const long = `${"x".repeat(LIMITS.searchLineLengthMax)}needle\n`;
  const content = `${long}${"needle and more hay\n".repeat(10_000)}needle`;
  await call(writeArtifact, { name: "hay", content }, context);
  const found = await call(readArtifact, { name: "hay", pattern: "needle" }, context);
  expect(found).toMatch(/^hay: 10001 matches in lines 1-10002\n2:needle and more hay\n/);
  expect(found).toMatch(
    /\n\.\.\. not all shown: continue with offset \d+\n\.\.\. lines searched only in part, being long: 1$/,
  );
  expect(Buffer.byteLength(found)).toBeLessThanOrEqual(LIMITS.inlineBytesMax);
  await call(writeArtifact, { name: "empty", content: "" }, context);
  expect(await call(readArtifact, { name: "empty", pattern: "a" }, context)).toBe("empty: 0 matches in lines 0-0");
  await call(writeArtifact, { name: "binary", content: "a\0b" }, context);
  expect(await call(readArtifact, { name: "binary", pattern: "a" }, context)).toBe("binary: binary");
});

test("what is not there says so", async () => {
  expect((await failureOf(call(readArtifact, { name: "gone" }, toolContext()))).code).toBe("ARTIFACT_NOT_FOUND");
  expect((await failureOf(call(readArtifact, { ref: digest }, toolContext()))).code).toBe("BLOB_NOT_FOUND");
});

test("an artifact of another agent is asked for by that agent's name; lists are paged and say whose", async () => {
  const asked: (string | undefined)[] = [];
  const artifact = { name: "a", digest, bytes: 8, mediaType: "text/plain" };
  const own = toolContext();
  const context = {
    ...own,
    artifacts: {
      ...own.artifacts,
      find: (_: string, agent?: string) => {
        asked.push(agent);
        return artifact;
      },
      list: () => [
        { path: "", artifact },
        { path: "lead/worker", artifact },
        { path: "other", artifact },
      ],
      async *read() {
        yield Buffer.from("one\ntwo\n");
      },
    },
  };
  expect(await call(readArtifact, { name: "a", agent: "lead/worker" }, context)).toBe(
    "a: lines 1-2 of 2, 8 bytes\none\ntwo",
  );
  expect(asked).toEqual(["lead/worker"]);
  expect(await call(listArtifacts, { offset: 1, limit: 1 }, context)).toBe(
    `3 artifacts\nlead/worker: a 8 text/plain ${digest}\n... 1 more; continue with offset 2`,
  );
});
