/** The operations of the server, as the page asks for them: `POST /v1/NAME`, typed by the contract's table. */
import type { Input, ManyName, OneName, Output } from "../../server/contract/operations.ts";

/** As the server sends it (RFC 9457). */
interface Problem {
  readonly status?: number;
  readonly detail?: string;
  readonly code?: string;
  readonly remedy?: string;
}

export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly remedy: string;

  constructor(status: number, problem: Problem) {
    super(problem.detail ?? "The server gave no reason.");
    this.status = status;
    this.code = problem.code ?? "";
    this.remedy = problem.remedy ?? "";
  }
}

/** @throws Refused, or TypeError when the server is out of reach */
export async function ask<Name extends OneName>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): Promise<Output<Name>> {
  return (await post(name, input, signal)).json();
}

/** What came in one piece, as one batch. @throws Refused, or TypeError when the server is out of reach */
export async function* list<Name extends ManyName>(
  name: Name,
  input: Input<Name>,
  signal?: AbortSignal,
): AsyncGenerator<Output<Name>[]> {
  const { body } = await post(name, input, signal);
  for await (const lines of linesOf(body)) {
    const items: Output<Name>[] = [];
    for (const text of lines) {
      const line = JSON.parse(text) as { item?: Output<Name>; error?: Problem };
      if (line.error) throw new Refused(line.error.status ?? 500, line.error);
      if (line.item !== undefined) items.push(line.item);
    }
    if (items.length > 0) yield items;
  }
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

async function post(name: string, input: unknown, signal?: AbortSignal): Promise<Response> {
  return checked(
    await fetch(`/v1/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      credentials: "same-origin",
      body: JSON.stringify(input),
      ...(signal && { signal }),
    }),
  );
}

/** @throws Refused */
export async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new Refused(response.status, await response.json().catch(() => ({})));
}

/** Whole lines, as they come. */
export async function* linesOf(body: ReadableStream<Uint8Array<ArrayBuffer>> | null): AsyncGenerator<string[]> {
  if (!body) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    if (lines.length > 0) yield lines;
  }
  if (rest !== "") yield [rest];
}

/** What went wrong, for people. */
export function wordsOf(error: unknown): string {
  if (error instanceof Refused) return error.remedy === "" ? error.message : `${error.message}. ${error.remedy}`;
  return error instanceof TypeError ? "The server is out of reach." : "The page failed at this.";
}
