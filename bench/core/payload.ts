/**
 * The payload that every contender carries: each turn the model says 800 characters and calls one tool, whose result is 1,500
 * characters; after the last turn it says `done`. This file knows no contender, so that loading it costs none of them anything.
 */
const MESSAGE_CHARACTERS = 800;
const RESULT_CHARACTERS = 1_500;
const LAST_WORDS = "done";

const filler = Array.from({ length: RESULT_CHARACTERS / 2 }, (_, at) =>
  (Math.imul(at + 1, 48_271) >>> 0).toString(36),
).join(" ");

/**
 * Text that differs from turn to turn, so that nothing is deduplicated by chance; made at next to no cost. A string of its own: a
 * slice would keep the whole filler alive.
 */
export function textOf(seed: number, characters: number): string {
  return Buffer.from(`${seed} ${filler}`.slice(0, characters), "latin1").toString("latin1");
}

/** What a model answers in one turn. */
export interface Answer {
  readonly text: string;
  /** Absent in the last turn. */
  readonly call: { readonly id: string; readonly step: number } | undefined;
}

let served = 0;

/** The answer of an agent that has had `had` turns of `turns`. Takes no time, for what is measured is not the model. */
export function answer(had: number, turns: number): Answer {
  served += 1;
  if (had >= turns) return { text: LAST_WORDS, call: undefined };
  return { text: textOf(served, MESSAGE_CHARACTERS), call: { id: `call-${served}`, step: served } };
}

/** What the tool answers. */
export function resultOf(step: number): string {
  return textOf(step, RESULT_CHARACTERS);
}

/** Messages of an agent after its last turn: its task, a message and a result a turn, and the last words. */
export function messagesAfter(turns: number): number {
  return 2 * turns + 2;
}

/** Bytes of one turn's message and result. */
export const TURN_BYTES = MESSAGE_CHARACTERS + RESULT_CHARACTERS;
