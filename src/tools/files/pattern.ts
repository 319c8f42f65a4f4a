/**
 * Patterns that a model wrote. The platform's own engine backtracks, so that a short pattern could stop the process for good;
 * this one takes time linear in the text (see docs/decisions/search-with-re2js.md). The factor is the size of the compiled
 * pattern, so that is bounded too. The engine is loaded with the first pattern.
 */
import { LIMITS } from "../../base/limits.ts";
import { badField } from "../define.ts";

/** Whether a line matches. */
export type Pattern = (line: string) => boolean;

/** @throws INPUT_INVALID when it is no RE2 pattern, or compiles to over LIMITS.searchPatternStepsMax steps */
export async function compilePattern(source: string): Promise<Pattern> {
  const compiled = await parse(source);
  const steps = compiled.programSize();
  if (steps <= LIMITS.searchPatternStepsMax) return (line) => compiled.test(line);
  throw badField(
    "pattern",
    `takes ${steps} steps, at most ${LIMITS.searchPatternStepsMax} are allowed: use smaller repetitions`,
  );
}

async function parse(source: string) {
  const { RE2JS, RE2JSException } = await import("re2js");
  try {
    return RE2JS.compile(source);
  } catch (error) {
    if (error instanceof RE2JSException) throw badField("pattern", error.message);
    throw error;
  }
}
