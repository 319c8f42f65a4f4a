/**
 * How much room the artifacts of a tree, and of all trees of a tenant, may take.
 *
 * Q1  What is counted is what names stand for now, each content once, however many agents and forks have it.
 * Q2  A write counts from before its bytes are stored, so several at once cannot overshoot; one that is refused has stored nothing.
 * Q3  What is there stays, whatever the bound: only writes are refused.
 */
import type { Forest } from "../agent/forest.ts";
import type { Node } from "../agent/forest-node.ts";
import { tenantOf } from "../agent/head.ts";
import { assert } from "../base/assert.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { digestOf } from "../blobs/blobs.ts";

export interface ArtifactBounds {
  /** Bytes; without them there is no bound. */
  readonly treeBytesMax?: number | undefined;
  readonly tenantBytesMax?: number | undefined;
}

interface Write {
  readonly agent: AgentId;
  readonly root: AgentId;
  readonly tenant: string;
  readonly name: string;
  readonly digest: string;
  readonly bytes: number;
}

export class ArtifactQuota {
  readonly #forest: Forest;
  readonly #bounds: ArtifactBounds;
  readonly #writes = new Set<Write>();

  constructor(forest: Forest, bounds: ArtifactBounds) {
    this.#forest = forest;
    this.#bounds = bounds;
  }

  /** Stores and names an artifact by `write`, if it fits. @throws QUOTA_EXCEEDED, what `write` throws */
  async within<T>(agent: AgentId, name: string, content: Uint8Array, write: () => Promise<T>): Promise<T> {
    if (!this.#isBounded) return write();
    const wanted = this.#writeOf(agent, { name, digest: digestOf(content), bytes: content.length });
    const why = this.#refusal(wanted);
    if (why !== undefined) throw new BanyanError("QUOTA_EXCEEDED", why, { agent });
    this.#writes.add(wanted);
    try {
      return await write();
    } finally {
      this.#writes.delete(wanted);
    }
  }

  /** True when what is stored already may be named. */
  fits(agent: AgentId, made: Pick<Write, "name" | "digest" | "bytes">): boolean {
    return !this.#isBounded || this.#refusal(this.#writeOf(agent, made)) === undefined;
  }

  get #isBounded(): boolean {
    return this.#bounds.treeBytesMax !== undefined || this.#bounds.tenantBytesMax !== undefined;
  }

  #writeOf(agent: AgentId, made: Pick<Write, "name" | "digest" | "bytes">): Write {
    const node = this.#forest.get(agent);
    assert(node !== undefined, "who writes is there");
    const { root } = node.head;
    return { ...made, agent, root, tenant: tenantOf(this.#forest.get(root)?.head ?? node.head) };
  }

  /** Why the write does not fit. */
  #refusal(wanted: Write): string | undefined {
    const { treeBytesMax, tenantBytesMax } = this.#bounds;
    const tree = this.#over("tree", wanted, treeBytesMax, () => [wanted.root]);
    return tree ?? this.#over("tenant", wanted, tenantBytesMax, () => this.#rootsOf(wanted.tenant));
  }

  #over(
    whose: "tree" | "tenant",
    wanted: Write,
    bytesMax: number | undefined,
    roots: () => readonly AgentId[],
  ): string | undefined {
    if (bytesMax === undefined) return undefined;
    const bytes = this.#bytesWith(wanted, roots());
    if (bytes <= bytesMax) return undefined;
    return `with ${JSON.stringify(wanted.name)} of ${wanted.bytes} bytes the artifacts of its ${whose} would have ${bytes}, over ${whose}ArtifactBytesMax (${bytesMax})`;
  }

  /** Q1. What the write replaces is counted no more. */
  #bytesWith(wanted: Write, roots: readonly AgentId[]): number {
    const contents = new Map([[wanted.digest, wanted.bytes]]);
    for (const root of roots) {
      for (const { head } of this.#forest.subtree(root)) {
        for (const { name, digest, bytes } of head.artifacts) {
          if (head.agent !== wanted.agent || name !== wanted.name) contents.set(digest, bytes);
        }
      }
    }
    const under = new Set(roots);
    for (const { root, digest, bytes } of this.#writes) if (under.has(root)) contents.set(digest, bytes);
    return contents.values().reduce((sum, bytes) => sum + bytes, 0);
  }

  #rootsOf(tenant: string): AgentId[] {
    return [...this.#forest.roots()].filter((node: Node) => tenantOf(node.head) === tenant).map(({ agent }) => agent);
  }
}
