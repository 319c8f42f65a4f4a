/** The operations of the server, as the page asks for them: through the client of everybody, with the browser's session. */
import { BanyanError } from "../../base/errors.ts";
import type { Input, ManyName, OneName, Output } from "../../server/contract/operations.ts";
import { openPageDoor } from "../../server/http-door.ts";

const door = openPageDoor();

/** @throws BanyanError: what the server says, or SERVER_UNREACHABLE */
export async function ask<Name extends OneName>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): Promise<Output<Name>> {
  return (await door.one(name, input, signal)) as Output<Name>;
}

/** What came in one piece, as one batch. @throws BanyanError: what the server says, or SERVER_UNREACHABLE */
export function list<Name extends ManyName>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): AsyncIterable<readonly Output<Name>[]> {
  return door.many(name, input, signal) as AsyncIterable<readonly Output<Name>[]>;
}

export async function listAll<Name extends ManyName>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): Promise<Output<Name>[]> {
  const all: Output<Name>[] = [];
  for await (const items of list(name, input, signal)) all.push(...items);
  return all;
}

/** What went wrong, for people. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof BanyanError)) return "The page failed at this.";
  if (error.code === "SERVER_UNREACHABLE") return "The server is out of reach.";
  return error.remedy === "" ? error.message : `${error.message}. ${error.remedy}`;
}
