/** What stands behind the table of operations: one handler each, and the one way in, which checks what comes from outside. */
import { z } from "zod";
import { BanyanError } from "../base/errors.ts";
import {
  type Checked,
  isOperation,
  type ManyName,
  type OneName,
  OPERATIONS,
  type OperationName,
  type Output,
} from "./contract/operations.ts";

/** An answer, or batches of items. The signal is aborted when nobody waits for it any more. */
export type Handlers = {
  readonly [Name in OneName]: (input: Checked<Name>, signal: AbortSignal) => Promise<Output<Name>>;
} & {
  readonly [Name in ManyName]: (input: Checked<Name>, signal: AbortSignal) => AsyncIterable<readonly Output<Name>[]>;
};

type NamesThat<Does extends "read" | "command"> = {
  [Name in OperationName]: (typeof OPERATIONS)[Name]["does"] extends Does ? Name : never;
}[OperationName];

export type ReadHandlers = Pick<Handlers, NamesThat<"read">>;
export type CommandHandlers = Pick<Handlers, NamesThat<"command">>;

/** A request whose name and input were checked. */
export interface Request {
  readonly name: OperationName;
  readonly input: unknown;
}

/** @throws INPUT_INVALID naming what is wrong with which field */
export function checkRequest(name: unknown, input: unknown): Request {
  if (!isOperation(name)) throw invalid(`no operation ${JSON.stringify(String(name).slice(0, 80))}`);
  const checked = OPERATIONS[name].input.safeParse(input ?? {});
  if (!checked.success) throw invalid(`${name}: ${z.prettifyError(checked.error)}`);
  return { name, input: checked.data };
}

/** Carries out a checked request. */
export function perform(
  handlers: Handlers,
  { name, input }: Request,
  signal: AbortSignal,
): Promise<unknown> | AsyncIterable<readonly unknown[]> {
  const handler = handlers[name] as (
    input: unknown,
    signal: AbortSignal,
  ) => Promise<unknown> | AsyncIterable<readonly unknown[]>;
  return handler(input, signal);
}

export function isMany(name: OperationName): name is ManyName {
  return OPERATIONS[name].answers === "many";
}

function invalid(why: string): BanyanError {
  return new BanyanError("INPUT_INVALID", why);
}
