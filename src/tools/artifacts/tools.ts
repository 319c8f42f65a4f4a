/** The tools of artifacts: named bytes that an agent leaves for others. */
import { z } from "zod";
import { MEDIA_TYPE_SYNTAX, name } from "../../agent/events.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { type Digest, isDigest } from "../../blobs/blobs.ts";
import { badField, defineTool } from "../define.ts";
import { compilePattern } from "../files/pattern.ts";
import { showLines } from "../lines.ts";
import { searchLines } from "./search.ts";

export const writeArtifact = defineTool({
  name: "write_artifact",
  description:
    "Store a text under a name, for whoever started you and for people. Writing a name again replaces what it had. Answers " +
    "`artifact <name> <digest> <bytes> bytes`.",
  input: z.strictObject({
    name: name.describe("Such as `report.md`: letters, digits, dots, dashes and underscores."),
    content: z.string().describe("The whole text."),
    mediaType: z
      .string()
      .max(256)
      .regex(MEDIA_TYPE_SYNTAX)
      .default("text/plain")
      .describe("Such as `text/markdown` or `application/json`."),
  }),
  onUnknownOutcome: "rerun",
  async run({ name, content, mediaType }, { artifacts }) {
    const bytes = Buffer.from(content, "utf8");
    if (bytes.length > LIMITS.contentBytesMax) {
      throw new BanyanError(
        "CONTENT_TOO_LARGE",
        `content: ${bytes.length} bytes, at most ${LIMITS.contentBytesMax} are stored`,
      );
    }
    const stored = await artifacts.write(name, bytes, mediaType);
    return `artifact ${stored.name} ${stored.digest} ${stored.bytes} bytes`;
  },
});

export const readArtifact = defineTool({
  name: "read_artifact",
  description:
    "Read lines of an artifact, by its name or by the reference that a result which was cut gives. Answers `<name>: lines A-B of T, " +
    "N bytes`, then the lines. When B is less than T, continue with offset B+1. With `pattern`, only the lines that match: " +
    "`<name>: M matches in lines A-T`, then `LINE:text` for each.",
  input: z.strictObject({
    name: name.optional().describe("Name of the artifact. Give this or `ref`."),
    ref: z.string().max(128).optional().describe("Reference, `sha256:` and 64 digits."),
    agent: z
      .string()
      .min(1)
      .max(LIMITS.pathLengthMax)
      .optional()
      .describe("Whose artifact, as in send_message; yours when absent."),
    pattern: z
      .string()
      .min(1)
      .max(LIMITS.searchPatternLengthMax)
      .optional()
      .describe("Regular expression (RE2) to search the lines for."),
    offset: z.int().min(1).default(1).describe("First line to read, from 1."),
    limit: z.int().min(1).max(LIMITS.readLinesMax).default(LIMITS.readLinesMax).describe("Lines to read at most."),
  }),
  onUnknownOutcome: "rerun",
  async run({ name, ref, agent, pattern, offset, limit }, { artifacts, signal, clock }) {
    const matches = pattern === undefined ? undefined : await compilePattern(pattern);
    const show = (label: string, digest: Digest, bytes?: number) => {
      const chunks = untilAborted(artifacts.read(digest), signal);
      if (matches) return searchLines(label, chunks, { matches, offset, limit }, { clock, signal });
      return showLines(label, chunks, { offset, limit }, bytes);
    };
    if ((name === undefined) === (ref === undefined)) throw badField("name", "give either name or ref");
    if (name !== undefined) {
      const { digest, bytes } = artifacts.find(name, agent);
      if (!isDigest(digest)) throw new BanyanError("BLOB_DAMAGED", `${name} refers to no digest`);
      return await show(name, digest, bytes);
    }
    if (!isDigest(ref)) throw badField("ref", "not a reference: it is `sha256:` and 64 hexadecimal digits");
    if (agent !== undefined) throw badField("agent", "goes with name, not with ref");
    return await show(ref, ref);
  },
});

export const listArtifacts = defineTool({
  name: "list_artifacts",
  description:
    "List your artifacts and those of the agents below you. Answers `N artifacts`, then `<name> <bytes> <mediaType> <digest>` a line; " +
    "another agent's follows its path, as `child/grandchild: `.",
  input: z.strictObject({
    offset: z.int().min(0).default(0).describe("Artifacts to leave out from the start."),
    limit: z
      .int()
      .min(1)
      .max(LIMITS.listEntriesMax)
      .default(LIMITS.listEntriesMax)
      .describe("Artifacts to show at most."),
  }),
  onUnknownOutcome: "rerun",
  run({ offset, limit }, { artifacts }) {
    const all = artifacts.list();
    const lines = all.slice(offset, offset + limit).map(({ path, artifact: { name, bytes, mediaType, digest } }) => {
      return `${path && `${path}: `}${name} ${bytes} ${mediaType} ${digest}`;
    });
    const more = all.length - offset - limit;
    return [
      `${all.length} artifacts`,
      ...lines,
      ...(more > 0 ? [`... ${more} more; continue with offset ${offset + limit}`] : []),
    ].join("\n");
  },
});

async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    yield chunk;
  }
}
