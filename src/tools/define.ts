/**
 * Makes a tool of a schema and a function, so that what the model is told, what is checked and what the function's types
 * say are one thing.
 */
import type { z } from "zod";
import type { Json } from "../agent/content.ts";
import type { WaitsFor } from "../agent/events.ts";
import { BanyanError } from "../base/errors.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import type { Tool, ToolAnswer, ToolContext, UnknownOutcomePolicy } from "./tool.ts";

export interface ToolDefinition<Input extends z.ZodObject> {
  /** 1 to 64 letters, digits, underscores and dashes: what every provider takes. */
  readonly name: string;
  /** Written for the model: what it does, when to use it, what it answers. */
  readonly description: string;
  /** Fields that it does not name are refused. */
  readonly input: Input;
  /** `report` when absent: a call that was cut off by a crash is never repeated. */
  readonly onUnknownOutcome?: UnknownOutcomePolicy;
  readonly waitsFor?: WaitsFor;
  /** Longest time of a call in milliseconds; LIMITS.toolMsMax when absent. */
  readonly timeMsMax?: number;
  /** Resolves to what the model reads. What it throws, the model reads as well. It must stop when `context.signal` is aborted. */
  run(input: z.output<Input>, context: ToolContext): Awaitable<string | ToolAnswer>;
}

type Awaitable<Type> = Type | Promise<Type>;

/**
 * @returns a tool whose `run` rejects with INPUT_INVALID, naming the field, before the function sees a bad input
 */
export function defineTool<Input extends z.ZodObject>(definition: ToolDefinition<Input>): Tool {
  const { name, description, onUnknownOutcome = "report", waitsFor, timeMsMax, run } = definition;
  const schema = definition.input.strict();
  return {
    name,
    description,
    inputSchema: jsonSchemaOf(schema),
    onUnknownOutcome,
    ...(waitsFor && { waitsFor }),
    ...(timeMsMax !== undefined && { timeMsMax }),
    async run(input: Json, context: ToolContext) {
      const parsed = schema.safeParse(input);
      if (!parsed.success)
        throw new BanyanError("INPUT_INVALID", complaint(parsed.error.issues, Object.keys(schema.shape)));
      // Making a schema strict changes what it takes, not what it gives: the type is that of the definition's own schema.
      return run(parsed.data as z.output<Input>, context);
    },
  };
}

/** An INPUT_INVALID for what a schema cannot say, in the same form. */
export function badField(field: string, why: string): BanyanError {
  return new BanyanError("INPUT_INVALID", `${field}: ${why}`);
}

const COMPLAINTS_MAX = 5;

function complaint(issues: readonly z.core.$ZodIssue[], fields: readonly string[]): string {
  return issues
    .slice(0, COMPLAINTS_MAX)
    .map((issue) => sentence(issue, fields))
    .join("; ");
}

function sentence(issue: z.core.$ZodIssue, fields: readonly string[]): string {
  if (issue.code === "unrecognized_keys") {
    const unknown = issue.keys
      .slice(0, COMPLAINTS_MAX)
      .map((key) => JSON.stringify(key.slice(0, 80)))
      .join(", ");
    return `no such field: ${unknown}; the fields are: ${fields.join(", ") || "none"}`;
  }
  return `${issue.path.join(".") || "input"}: ${issue.message}`;
}
