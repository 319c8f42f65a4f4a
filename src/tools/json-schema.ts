/**
 * The JSON schema (draft 7) of a tool's input. The text of the tools' definitions opens every prompt, so keys stand in
 * an order of our own: a new version of the schema library must not lose the prompt caches of running agents.
 */
import { z } from "zod";
import type { Json } from "../agent/content.ts";

type JsonObject = { [key: string]: Json };

/** Properties keep the order in which they were defined: the model reads them in it. */
export function jsonSchemaOf(schema: z.ZodObject): JsonObject {
  const { $schema: _, ...plain } = z.toJSONSchema(schema, { target: "draft-07", io: "input" });
  return inOrder(plain as JsonObject);
}

const FIRST = ["type", "description"];
const LAST = ["properties", "required", "additionalProperties"];

function inOrder(schema: JsonObject): JsonObject {
  const others = Object.keys(schema).filter((key) => !FIRST.includes(key) && !LAST.includes(key));
  const keys = [...FIRST, ...others.sort(), ...LAST].filter((key) => key in schema);
  return Object.fromEntries(
    keys.map((key) => [key, key === "properties" ? each(schema[key] as JsonObject) : inside(schema[key] as Json)]),
  );
}

function each(properties: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, inside(schema)]));
}

function inside(value: Json): Json {
  if (Array.isArray(value)) return value.map(inside);
  return typeof value === "object" && value !== null ? inOrder(value) : value;
}
