/**
 * Changes of agents' statuses, as bytes: a projection of the journal that says how a fleet stood at any moment without folding a million events.
 *
 * X1  A piece is whole or damaged: its checksum says. What follows damage is not read.
 * X2  Agents are numbered within one file, in the order in which they are first told of.
 * X3  A file of an earlier format is none: what it told is folded from the journal again, which knows what that format had no place for.
 */
import { crc32 } from "node:zlib";
import { STATUSES, type Status, WAITS, type WaitingFor } from "../agent/status.ts";
import type { AgentId } from "../base/ids.ts";

/** How an agent stood after one of its events. */
export interface Change {
  readonly agent: AgentId;
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Its own: a hold above it is the hold of that agent. */
  readonly status: Status;
  readonly waitingFor: WaitingFor | null;
  readonly held: boolean;
  /** Its own, without those below it. */
  readonly costUsd: number;
  /** Of a rewind: what it did since this moment was taken back. Milliseconds since the epoch; null for any other change. */
  readonly rewoundTo: number | null;
}

/** Changes that stand together in a file, and the position of the journal up to which nothing is missing with them. */
export interface Piece {
  readonly changes: readonly Change[];
  readonly position: number;
}

const MAGIC = "BANYCHG2";
/** It told of no rewinds. */
const EARLIER = ["BANYCHG1"];
const ID_BYTES = 26;
/** On the disk, without its agent's name, and the moment of a rewind. */
export const CHANGE_BYTES = 24;
/** Behind all changes of a piece, for each of them that is a rewind. */
const REWOUND_BYTES = 8;
/** Checksum, length, position; then in front of the changes: how many agents are new, and how many changes there are. */
const FRAME_BYTES = 16;
const COUNTS_BYTES = 8;
const HEADER_BYTES = 16;
const HELD = 1;
const REWOUND = 2;

/** The first bytes of a file: nothing is missing in it from this position on. */
export function headerOf(position: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(MAGIC, "latin1");
  bytes.writeDoubleLE(position, MAGIC.length);
  return bytes;
}

/** Turns pieces of one file into bytes, in their order. */
export class ChangeWriter {
  readonly #numbers = new Map<AgentId, number>();

  bytesOf({ changes, position }: Piece): Buffer {
    const fresh: AgentId[] = [];
    const numbers = changes.map(({ agent }) => {
      const known = this.#numbers.get(agent);
      if (known !== undefined) return known;
      fresh.push(agent);
      this.#numbers.set(agent, this.#numbers.size);
      return this.#numbers.size - 1;
    });
    const rewound = changes.flatMap(({ rewoundTo }) => rewoundTo ?? []);
    const length =
      COUNTS_BYTES + fresh.length * ID_BYTES + changes.length * CHANGE_BYTES + rewound.length * REWOUND_BYTES;
    const bytes = Buffer.alloc(FRAME_BYTES + length);
    let at = bytes.writeUInt32LE(fresh.length, FRAME_BYTES);
    at = bytes.writeUInt32LE(changes.length, at);
    for (const agent of fresh) at += bytes.write(agent, at, "latin1");
    for (const [index, change] of changes.entries()) {
      at = bytes.writeUInt32LE(numbers[index] as number, at);
      at = bytes.writeUInt32LE(change.seq, at);
      at = bytes.writeDoubleLE(change.time, at);
      at = bytes.writeUInt8(STATUSES.indexOf(change.status), at);
      at = bytes.writeUInt8(change.waitingFor === null ? 0 : WAITS.indexOf(change.waitingFor) + 1, at);
      at = bytes.writeUInt16LE((change.held ? HELD : 0) | (change.rewoundTo === null ? 0 : REWOUND), at);
      at = bytes.writeFloatLE(change.costUsd, at);
    }
    for (const time of rewound) at = bytes.writeDoubleLE(time, at);
    bytes.writeUInt32LE(length, 4);
    bytes.writeDoubleLE(position, 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
    return bytes;
  }
}

export interface Extent {
  /** Nothing is missing from `from` to `to`. */
  readonly from: number;
  readonly to: number;
  /** Bytes up to the end of the last sound piece. */
  readonly bytes: number;
}

/** X3: whether it is of a format in which nothing is written any more. */
export function isEarlier(bytes: Buffer): boolean {
  return EARLIER.includes(magicOf(bytes));
}

/** What a file covers; undefined when it is none of ours, or an earlier one. */
export function extentOf(bytes: Buffer): Extent | undefined {
  if (bytes.length < HEADER_BYTES || magicOf(bytes) !== MAGIC) return undefined;
  const from = bytes.readDoubleLE(MAGIC.length);
  let at = HEADER_BYTES;
  let to = from;
  for (let end = soundEnd(bytes, at); end !== undefined; end = soundEnd(bytes, at)) {
    to = bytes.readDoubleLE(at + 8);
    at = end;
  }
  return { from, to, bytes: at };
}

/** The sound pieces of a file, one by one (X1). */
export function* piecesIn(bytes: Buffer): Generator<Piece> {
  const agents: AgentId[] = [];
  let at = HEADER_BYTES;
  for (let end = soundEnd(bytes, at); end !== undefined; end = soundEnd(bytes, at)) {
    yield { changes: changesIn(bytes, at + FRAME_BYTES, agents), position: bytes.readDoubleLE(at + 8) };
    at = end;
  }
}

function magicOf(bytes: Buffer): string {
  return bytes.toString("latin1", 0, MAGIC.length);
}

/** X1: where the piece at a place ends; undefined when there is none, or no sound one. */
function soundEnd(bytes: Buffer, at: number): number | undefined {
  if (at + FRAME_BYTES + COUNTS_BYTES > bytes.length) return undefined;
  const end = at + FRAME_BYTES + bytes.readUInt32LE(at + 4);
  return end <= bytes.length && crc32(bytes.subarray(at + 4, end)) === bytes.readUInt32LE(at) ? end : undefined;
}

function changesIn(bytes: Buffer, from: number, agents: AgentId[]): Change[] {
  let at = from + COUNTS_BYTES;
  for (let left = bytes.readUInt32LE(from); left > 0; left--, at += ID_BYTES) {
    agents.push(bytes.toString("latin1", at, at + ID_BYTES) as AgentId);
  }
  const count = bytes.readUInt32LE(from + 4);
  let rewound = at + count * CHANGE_BYTES;
  return Array.from({ length: count }, (_, index) => {
    const place = at + index * CHANGE_BYTES;
    const waits = bytes.readUInt8(place + 17);
    const flags = bytes.readUInt16LE(place + 18);
    const isRewind = (flags & REWOUND) > 0;
    const rewoundTo = isRewind ? bytes.readDoubleLE(rewound) : null;
    if (isRewind) rewound += REWOUND_BYTES;
    return {
      agent: agents[bytes.readUInt32LE(place)] as AgentId,
      seq: bytes.readUInt32LE(place + 4),
      time: bytes.readDoubleLE(place + 8),
      status: STATUSES[bytes.readUInt8(place + 16)] as Status,
      waitingFor: waits === 0 ? null : (WAITS[waits - 1] as WaitingFor),
      held: (flags & HELD) > 0,
      costUsd: bytes.readFloatLE(place + 20),
      rewoundTo,
    };
  });
}
