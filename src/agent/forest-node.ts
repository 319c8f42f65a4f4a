/** The nodes of the forest: each agent's head and the sums of its subtree, both made when they are asked for. */
import { assert } from "../base/assert.ts";
import type { AgentId } from "../base/ids.ts";
import type { Brief, HeadColumns } from "./head-columns.ts";
import type { Head } from "./state.ts";
import { type MutableSums, noSums, type SumColumns, type Sums } from "./sums.ts";

export interface Node {
  readonly agent: AgentId;
  /** Made when it is asked for, of an agent that nobody has asked for since it was read. */
  readonly head: Head;
  /** A part of the head that is there without it. */
  readonly brief: Brief;
  readonly parent: Node | undefined;
  /** In the order of spawning. */
  readonly children: readonly Node[];
  /** Over the agent and all below it, as it is now: to keep, copy it (`copyOf`). */
  readonly subtree: Sums;
}

/** A node whose head and sums may still be in the columns that it was read from. */
export class Twig implements Node {
  readonly agent: AgentId;
  readonly parent: Twig | undefined;
  children: Twig[] = NO_CHILDREN;
  /** Reserved for its own call: in flight, or about to start. */
  reservedUsd: number;
  #head: Head | undefined;
  #subtree: MutableSums | undefined;
  readonly #bed: Bed | undefined;
  /** Its place in the bed. */
  readonly #at: number;

  private constructor(agent: AgentId, parent: Twig | undefined, head: Head | undefined, bed?: Bed, at = 0) {
    this.agent = agent;
    this.parent = parent;
    this.#head = head;
    this.#bed = bed;
    this.#at = at;
    this.reservedUsd = bed ? bed.columns.reservedUsd(at) : 0;
  }

  static of(head: Head, parent: Twig | undefined): Twig {
    return new Twig(head.agent, parent, head);
  }

  static planted(bed: Bed, at: number, parent: Twig | undefined): Twig {
    return new Twig(bed.columns.agent(at), parent, undefined, bed, at);
  }

  get head(): Head {
    this.#head ??= this.#planted.columns.head(this.#at);
    return this.#head;
  }

  set head(head: Head) {
    this.#head = head;
  }

  get brief(): Brief {
    return this.#head ?? this.#planted.columns.brief(this.#at);
  }

  get subtree(): MutableSums {
    this.#subtree ??= this.#bed ? this.#bed.sums.at(this.#at) : noSums();
    return this.#subtree;
  }

  get #planted(): Bed {
    assert(this.#bed, `${this.agent} has a head`);
    return this.#bed;
  }
}

/** What nodes were read from, together. */
interface Bed {
  readonly columns: HeadColumns;
  readonly sums: SumColumns;
}

/** Of the many that have none. */
const NO_CHILDREN: Twig[] = [];
