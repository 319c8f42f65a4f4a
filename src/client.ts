/**
 * The client: every operation as a method, on a data folder, or on a server by its address and a token. Where a process runs the
 * agents of a folder, through its control socket; where none does, on the data itself: what is asked for then is journaled, and
 * carried out by the next process that opens it.
 */
import { resolve } from "node:path";
import { type Clock, sleep, systemClock } from "./base/clock.ts";
import { BanyanError } from "./base/errors.ts";
import { hasData } from "./runtime/open.ts";
import { openClosedDoor } from "./server/closed-door.ts";
import {
  type CallOptions,
  type Items,
  OPERATIONS,
  type OperationName,
  type Operations,
} from "./server/contract/operations.ts";
import { findSocketPath } from "./server/control-path.ts";
import type { Door } from "./server/door.ts";
import { isMany } from "./server/handlers.ts";
import { openHttpDoor, type ServerAddress } from "./server/http-door.ts";
import { openLiveDoor } from "./server/live-door.ts";

export { BanyanError, type ErrorCode } from "./base/errors.ts";
export type {
  AgentDetail,
  ArtifactRow,
  ArtifactVersion,
  LoggedEvent,
  ProcessRow,
  Standing,
  TranscriptEntry,
} from "./server/contract/agent.ts";
export type {
  CheckpointDetail,
  CheckpointDiffRow,
  CheckpointRow,
  RotatedCheckpoint,
} from "./server/contract/checkpoint.ts";
export type { CostReport, FaultRow, Stats } from "./server/contract/fleet.ts";
export type { CallOptions, Input, Items, OperationName, Operations, Output } from "./server/contract/operations.ts";
export type { CapacityReport, CollectedArtifacts, ScrubbedArtifacts } from "./server/contract/stored.ts";
export type { TreeRow } from "./server/contract/tree.ts";
export type { ServerAddress } from "./server/http-door.ts";

export interface Client extends Operations, AsyncDisposable {
  /** A process runs the agents. May change with every operation: a process can start or end at any time. */
  readonly live: boolean;
  close(): Promise<void>;
}

/** A process that opens the data listens a moment later, and a command is over soon; whoever asks in between tries again, for five seconds. */
const TRIES_MAX = 100;
const TRY_AGAIN_MS = 50;

/**
 * A client of the data in a folder, or of the server at an address.
 * @throws DATA_NOT_FOUND; DATA_IN_USE when the process that runs on it is of another version, or stands still
 */
export async function connect(
  where: string | ServerAddress,
  { clock = systemClock() }: { clock?: Clock } = {},
): Promise<Client> {
  if (typeof where !== "string") return clientOf(new FarDoor(openHttpDoor(where)));
  if (!(await hasData(where))) throw new BanyanError("DATA_NOT_FOUND", `no Banyan data in ${where}`);
  const doors = new Doors(resolve(where), clock);
  await doors.find();
  return clientOf(doors);
}

/** Ways in, of which one is right at a time. */
interface Entrance {
  readonly live: boolean;
  find(): Promise<Door>;
  one(name: OperationName, input: unknown, options?: CallOptions): Promise<unknown>;
  close(): void;
}

function clientOf(entrance: Entrance): Client {
  const operations = Object.fromEntries(
    (Object.keys(OPERATIONS) as OperationName[]).map((name) => [
      name,
      isMany(name)
        ? (input?: unknown, options?: CallOptions) => itemsOf(entrance, name, input, options)
        : (input?: unknown, options?: CallOptions) => entrance.one(name, input, options),
    ]),
  ) as unknown as Operations;
  const close = async () => entrance.close();
  return {
    ...operations,
    get live() {
      return entrance.live;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function itemsOf(entrance: Entrance, name: OperationName, input: unknown, options?: CallOptions): Items<unknown> {
  const begin = async function* () {
    const door = await entrance.find();
    for await (const batch of door.many(name, input, options?.signal)) yield* batch;
  };
  return {
    [Symbol.asyncIterator]: begin,
    async toArray() {
      const items: unknown[] = [];
      for await (const item of begin()) items.push(item);
      return items;
    },
  };
}

/** A server elsewhere. */
class FarDoor implements Entrance {
  readonly live = true;
  readonly #door: Door;

  constructor(door: Door) {
    this.#door = door;
  }

  async find(): Promise<Door> {
    return this.#door;
  }

  one(name: OperationName, input: unknown, { signal }: CallOptions = {}): Promise<unknown> {
    return this.#door.one(name, input, signal);
  }

  close(): void {
    this.#door.close();
  }
}

/** The way in, found anew whenever the last one is gone. */
class Doors implements Entrance {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #closed: Door;
  #live: Door | undefined;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
    this.#closed = openClosedDoor(folder);
  }

  get live(): boolean {
    return this.#live?.isOpen ?? false;
  }

  async find(): Promise<Door> {
    if (this.#live?.isOpen) return this.#live;
    const path = await findSocketPath(this.#folder);
    const found = path === undefined ? undefined : await openLiveDoor(path, this.#clock);
    // Two operations may have looked at the same time: one connection is enough.
    if (this.#live?.isOpen) found?.close();
    else this.#live = found;
    return this.#live ?? this.#closed;
  }

  async one(name: OperationName, input: unknown, { signal }: CallOptions = {}): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const door = await this.find();
      try {
        return await door.one(name, input, signal);
      } catch (error) {
        const isEarly = door === this.#closed && error instanceof BanyanError && error.code === "DATA_IN_USE";
        if (!isEarly || tries >= TRIES_MAX) throw error;
        await sleep(this.#clock, TRY_AGAIN_MS, signal);
      }
    }
  }

  close(): void {
    this.#live?.close();
    this.#live = undefined;
  }
}
