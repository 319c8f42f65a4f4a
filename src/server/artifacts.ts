/** Finding artifacts by whose they are, and handing over their bytes piece by piece. */
import { decodeEvent } from "../agent/codec.ts";
import type { Node } from "../agent/forest-node.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { type Digest, isDigest } from "../blobs/blobs.ts";
import { history } from "../coordinator/fold.ts";
import type { Runtime } from "../runtime/open.ts";
import type { ArtifactRow, ArtifactVersion } from "./contract/agent.ts";
import type { Checked, Output } from "./contract/operations.ts";
import { pathOf } from "./select.ts";

type Chunk = Output<"artifact">;

export function* artifactRows(
  { coordinator: { forest } }: Runtime,
  agent: AgentId | undefined,
  { subtree, name }: { subtree: boolean; name?: string },
): Generator<ArtifactRow> {
  const nodes =
    agent === undefined ? forest.nodes() : subtree ? forest.subtree(agent) : [forest.get(agent)].filter(isNode);
  for (const { head } of nodes) {
    for (const artifact of head.artifacts) {
      if (name === undefined || artifact.name === name)
        yield { ...artifact, agent: head.agent, path: pathOf(forest, head.agent) };
    }
  }
}

/**
 * Bytes in pieces. A whole is checked against its digest before its last piece is handed over; a range is not.
 * @throws INPUT_INVALID, ARTIFACT_NOT_FOUND, AGENT_AMBIGUOUS, BLOB_NOT_FOUND, BLOB_DAMAGED
 */
export async function* artifactBytes(
  runtime: Runtime,
  agent: AgentId | undefined,
  { name, digest, from, to }: Pick<Checked<"artifact">, "name" | "digest" | "from" | "to">,
): AsyncGenerator<Chunk[]> {
  if ((name === undefined) === (digest === undefined)) throw invalid("give either the name of an artifact or a digest");
  if (to !== undefined && to < (from ?? 0)) throw invalid("`to` is before `from`");
  const found = digest ?? findArtifact(runtime, agent, name ?? "").digest;
  const isWhole = from === undefined && to === undefined;
  let offset = from ?? 0;
  const range = isWhole ? undefined : { from: offset, to: to ?? Number.MAX_SAFE_INTEGER };
  for await (const bytes of runtime.services.blobs.get(asDigest(found), range)) {
    yield [{ offset, base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64") }];
    offset += bytes.byteLength;
  }
}

/**
 * A fork's begin in the past that it shares. @throws ARTIFACT_NOT_FOUND, AGENT_AMBIGUOUS, JOURNAL_DAMAGED
 */
export async function* artifactVersions(
  runtime: Runtime,
  agent: AgentId | undefined,
  name: string,
): AsyncGenerator<ArtifactVersion[]> {
  const whose = agent ?? findArtifact(runtime, undefined, name).agent;
  const { head } = runtime.coordinator.forest.get(whose) ?? {};
  const now = head?.artifacts.find((artifact) => artifact.name === name);
  const found: Omit<ArtifactVersion, "current">[] = [];
  for await (const batch of history(runtime.services.journal, whose)) {
    for (const { seq, time, type, body } of batch) {
      if (!type.startsWith(WRITTEN)) continue;
      const event = decodeEvent(type, body);
      if (event.type !== WRITTEN || event.artifact.name !== name) continue;
      const version = found.length + 1;
      found.push({
        ...event.artifact,
        agent: whose,
        version,
        seq,
        time,
        callId: event.callId ?? null,
        process: event.process ?? null,
        by: event.by ?? null,
      });
    }
  }
  if (found.length === 0) {
    throw new BanyanError("ARTIFACT_NOT_FOUND", `no artifact ${JSON.stringify(name)}`, { agent: whose });
  }
  const current = found.findLast(({ digest, mediaType }) => digest === now?.digest && mediaType === now.mediaType);
  yield found.map((version) => ({ ...version, current: version === current }));
}

const WRITTEN = "artifact.written";

/**
 * Where no agent is named, a root's is meant before those of agents below; several of equal rank are refused.
 * @throws ARTIFACT_NOT_FOUND, AGENT_AMBIGUOUS
 */
export function findArtifact(runtime: Runtime, agent: AgentId | undefined, name: string): ArtifactRow {
  const { forest } = runtime.coordinator;
  const all = [...artifactRows(runtime, agent, { subtree: false, name })];
  const ofRoots = all.filter((row) => forest.get(row.agent)?.parent === undefined);
  const found = ofRoots.length > 0 ? ofRoots : all;
  const [first] = found;
  if (!first) throw new BanyanError("ARTIFACT_NOT_FOUND", `no artifact ${JSON.stringify(name)}`, { agent });
  if (found.length === 1) return first;
  const named = found.slice(0, NAMED_MAX).map((row) => `${row.agent} (${row.path})`);
  const more = found.length > NAMED_MAX ? ` and ${found.length - NAMED_MAX} more` : "";
  throw new BanyanError("AGENT_AMBIGUOUS", `an artifact ${name} was made by ${named.join(", ")}${more}`);
}

/** Agents that an error names. */
const NAMED_MAX = 5;

function asDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw invalid(`not a digest: ${text.slice(0, 80)}`);
}

function isNode(node: Node | undefined): node is Node {
  return node !== undefined;
}

function invalid(why: string): BanyanError {
  return new BanyanError("INPUT_INVALID", why);
}
