/**
 * The heads of many agents in columns: as bytes they are read at once, and of a hundred thousand agents at rest a head is made only
 * when someone asks for it. Parents stand before their children.
 *
 * H1  What is read from columns is the head that was put into them, but for the output, as of a summary.
 * H2  Bytes that are cut, longer, or of another format are refused. Whoever keeps them adds a checksum.
 */
import { assert } from "../base/assert.ts";
import type { AgentId } from "../base/ids.ts";
import type { Head } from "./state.ts";
import { STATUSES, WAITS } from "./status.ts";

/** Grows with the order or meaning of the columns, and with the shape of a head. */
const FORMAT = 1;

const COLUMNS = [
  "parent",
  "root",
  "level",
  "seq",
  "time",
  "createdTime",
  "status",
  "waitingFor",
  "flags",
  "turns",
  "input",
  "output",
  "cacheRead",
  "cacheWrite",
  "costUsd",
  "estimatedUsd",
  "reservedUsd",
  "childrenLive",
  "childrenTotal",
  "processes",
  "name",
  "activity",
  "shared",
  "rest",
] as const;
type Column = (typeof COLUMNS)[number];

/** What many agents have alike. */
type Shared = Pick<Head, "mode" | "execution" | "rights" | "tenant" | "budget">;
/** What few agents have at all. */
type Rest = Pick<Head, "origin" | "error" | "artifacts">;

/** What of a head is asked for of every agent there is, when none of them does anything. */
export type Brief = Pick<
  Head,
  "status" | "waitingFor" | "held" | "reservedUsd" | "childrenLive" | "processes" | "interrupted"
>;

const [HELD, INTERRUPTED] = [1, 2];
/** In a column of places, for an agent that has nothing there. */
const NONE = -1;
const ID_LENGTH = 26;
const NUMBER_BYTES = Float64Array.BYTES_PER_ELEMENT;

interface Header {
  readonly format: number;
  /** What whoever keeps the bytes has to say of them. */
  readonly note: unknown;
  readonly count: number;
  readonly texts: readonly string[];
  readonly shared: readonly Shared[];
  readonly rest: readonly Rest[];
}

/** Takes heads in, parents before their children, and makes bytes of them all. */
export class HeadColumnsWriter {
  readonly #columns = Object.fromEntries(COLUMNS.map((column) => [column, [] as number[]])) as Record<Column, number[]>;
  readonly #places = new Map<AgentId, number>();
  readonly #texts = new Map<string, number>();
  readonly #shared = new Map<string, number>();
  readonly #sharedOf = new Map<Head["execution"], { readonly head: Head; readonly place: number }>();
  readonly #rest: Rest[] = [];

  add(head: Head): void {
    const { usage, artifacts, origin, error } = head;
    const hasRest = origin !== null || error !== null || artifacts.length > 0;
    const row: Record<Column, number> = {
      parent: head.parent === null ? NONE : this.#placeOf(head.parent),
      root: head.root === head.agent ? NONE : this.#placeOf(head.root),
      level: head.level,
      seq: head.seq,
      time: head.time,
      createdTime: head.createdTime,
      status: STATUSES.indexOf(head.status),
      waitingFor: head.waitingFor === null ? NONE : WAITS.indexOf(head.waitingFor),
      flags: (head.held ? HELD : 0) | (head.interrupted ? INTERRUPTED : 0),
      turns: head.turns,
      input: usage.input,
      output: usage.output,
      cacheRead: usage.cacheRead,
      cacheWrite: usage.cacheWrite,
      costUsd: head.costUsd,
      estimatedUsd: head.estimatedUsd,
      reservedUsd: head.reservedUsd,
      childrenLive: head.childrenLive,
      childrenTotal: head.childrenTotal,
      processes: head.processes ?? NONE,
      name: placeIn(this.#texts, head.name),
      activity: placeIn(this.#texts, head.activity),
      shared: this.#sharedPlace(head),
      rest: hasRest ? this.#rest.push({ origin, error, artifacts }) - 1 : NONE,
    };
    for (const column of COLUMNS) this.#columns[column].push(row[column]);
    this.#places.set(head.agent, this.#places.size);
  }

  /** `note` comes back with the columns. */
  bytes(note: unknown): Buffer {
    const count = this.#places.size;
    const header: Header = {
      format: FORMAT,
      note,
      count,
      texts: [...this.#texts.keys()],
      shared: [...this.#shared.keys()].map((text) => JSON.parse(text)),
      rest: this.#rest,
    };
    const text = Buffer.from(JSON.stringify(header));
    // So that the numbers behind it stand where numbers can be read without a copy.
    const padding = " ".repeat(NUMBER_BYTES - ((text.length + 1) % NUMBER_BYTES));
    const numbers = COLUMNS.map((column) => Buffer.from(Float64Array.from(this.#columns[column]).buffer));
    const ids = Buffer.from([...this.#places.keys()].join(""), "latin1");
    return Buffer.concat([text, Buffer.from(`${padding}\n`), ...numbers, ids]);
  }

  #placeOf(agent: AgentId): number {
    const place = this.#places.get(agent);
    assert(place !== undefined, `${agent} comes before those below it`);
    return place;
  }

  /** Agents that were spawned alike have the very same objects: only the first of them is looked at. */
  #sharedPlace(head: Head): number {
    const { mode, execution, rights, tenant, budget } = head;
    const last = this.#sharedOf.get(execution);
    const isAlike =
      last?.head.mode === mode &&
      last.head.rights === rights &&
      last.head.tenant === tenant &&
      last.head.budget === budget;
    if (last && isAlike) return last.place;
    const place = placeIn(this.#shared, JSON.stringify({ mode, execution, rights, tenant, budget } satisfies Shared));
    this.#sharedOf.set(execution, { head, place });
    return place;
  }
}

export class HeadColumns {
  readonly count: number;
  readonly note: unknown;
  readonly #numbers: Record<Column, Float64Array>;
  readonly #ids: string;
  readonly #header: Header;

  /** @throws RangeError, SyntaxError for bytes that are not whole heads (H2) */
  constructor(bytes: Buffer) {
    const end = bytes.indexOf("\n");
    const header: Header = JSON.parse(bytes.toString("utf8", 0, Math.max(0, end)));
    const { format, count, note } = header;
    const length = end + 1 + count * (COLUMNS.length * NUMBER_BYTES + ID_LENGTH);
    if (format !== FORMAT || bytes.length !== length) throw new RangeError("of another format");
    const aligned = bytes.byteOffset % NUMBER_BYTES === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
    const column = (at: number) =>
      new Float64Array(aligned.buffer, aligned.byteOffset + end + 1 + at * count * NUMBER_BYTES, count);
    this.count = count;
    this.note = note;
    this.#header = header;
    this.#numbers = Object.fromEntries(COLUMNS.map((name, at) => [name, column(at)])) as Record<Column, Float64Array>;
    this.#ids = bytes.toString("latin1", length - count * ID_LENGTH);
  }

  agent(at: number): AgentId {
    return this.#ids.slice(at * ID_LENGTH, (at + 1) * ID_LENGTH);
  }

  /** The place of its parent; undefined for a root. */
  parent(at: number): number | undefined {
    const place = this.#number("parent", at);
    return place === NONE ? undefined : place;
  }

  reservedUsd(at: number): number {
    return this.#number("reservedUsd", at);
  }

  /** A column as a whole: not the caller's to change. */
  column(name: Column): Float64Array {
    return this.#numbers[name];
  }

  brief(at: number): Brief {
    const flags = this.#number("flags", at);
    const processes = this.#number("processes", at);
    return {
      status: STATUSES[this.#number("status", at)] as Head["status"],
      waitingFor: WAITS[this.#number("waitingFor", at)] ?? null,
      held: (flags & HELD) !== 0,
      interrupted: (flags & INTERRUPTED) !== 0 || undefined,
      reservedUsd: this.#number("reservedUsd", at),
      childrenLive: this.#number("childrenLive", at),
      processes: processes === NONE ? undefined : processes,
    };
  }

  head(at: number): Head {
    const number = (name: Column) => this.#number(name, at);
    const [parent, root] = [number("parent"), number("root")];
    const shared = this.#header.shared[number("shared")] as Shared;
    const { origin, error, artifacts } = this.#header.rest[number("rest")] ?? NO_REST;
    const { status, waitingFor, held, reservedUsd, childrenLive, processes, interrupted } = this.brief(at);
    // In the order of a summary's, and all of one shape.
    return {
      agent: this.agent(at),
      origin,
      parent: parent === NONE ? null : this.agent(parent),
      root: this.agent(root === NONE ? at : root),
      level: number("level"),
      name: this.#header.texts[number("name")] as string,
      mode: shared.mode,
      execution: shared.execution,
      rights: shared.rights,
      budget: shared.budget,
      tenant: shared.tenant,
      seq: number("seq"),
      time: number("time"),
      createdTime: number("createdTime"),
      status,
      waitingFor,
      held,
      turns: number("turns"),
      usage: {
        input: number("input"),
        output: number("output"),
        cacheRead: number("cacheRead"),
        cacheWrite: number("cacheWrite"),
      },
      costUsd: number("costUsd"),
      estimatedUsd: number("estimatedUsd"),
      reservedUsd,
      childrenLive,
      childrenTotal: number("childrenTotal"),
      activity: this.#header.texts[number("activity")] as string,
      output: null,
      error,
      artifacts,
      processes,
      interrupted,
    };
  }

  #number(name: Column, at: number): number {
    return this.#numbers[name][at] as number;
  }
}

const NO_REST: Rest = { origin: null, error: null, artifacts: [] };

function placeIn(places: Map<string, number>, text: string): number {
  const known = places.get(text);
  if (known !== undefined) return known;
  places.set(text, places.size);
  return places.size - 1;
}
