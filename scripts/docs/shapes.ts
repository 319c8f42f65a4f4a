/** Schemas as people read them: a type in a few words, and the fields of an object. */
import { z } from "zod";

/** The part of JSON Schema that zod writes for our schemas. Whatever else it writes is refused, not left out. */
interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
}

export interface Shape {
  /** Fields of an object, or of each of the objects that it may be. Empty for what may be something else. */
  readonly alternatives: readonly (readonly Field[])[];
  /** The whole in a few words. */
  readonly type: string;
}

/** Describes schemas; those that have a name are mentioned by it wherever they are part of another. */
export function shapesOf(named: Readonly<Record<string, z.ZodType>>): (schema: z.ZodType) => Shape {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  return (schema) => {
    const written = z.toJSONSchema(schema, { metadata: registry }) as JsonSchema & {
      $defs?: Record<string, JsonSchema>;
    };
    const id = written.$ref && nameIn(written.$ref);
    const top = id ? (written.$defs?.[id] ?? written) : written;
    const choices = top.oneOf ?? top.anyOf ?? [top];
    const allObjects = choices.every(({ properties }) => properties);
    return { alternatives: allObjects ? choices.map(fieldsOf) : [], type: typeOf(top) };
  };
}

function fieldsOf({ properties = {}, required = [] }: JsonSchema): Field[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    type: typeOf(schema),
    optional: !required.includes(name),
  }));
}

function typeOf(schema: JsonSchema): string {
  if (schema.$ref) return nameIn(schema.$ref);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  // The codes of errors are many, and have a page of their own.
  if (schema.enum)
    return schema.enum.length > 12 ? "code" : schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives) return alternatives.map(typeOf).join(" | ");
  if (schema.items) {
    const item = typeOf(schema.items);
    return item.includes(" | ") && !item.startsWith("{") ? `(${item})[]` : `${item}[]`;
  }
  if (schema.properties) {
    const fields = fieldsOf(schema).map(({ name, type, optional }) => `${name}${optional ? "?" : ""}: ${type}`);
    return `{ ${fields.join(", ")} }`;
  }
  if (typeof schema.additionalProperties === "object") return `{ [name]: ${typeOf(schema.additionalProperties)} }`;
  if (schema.type === undefined) throw new Error(`no words for the schema ${JSON.stringify(schema)}`);
  return [schema.type].flat().join(" | ") + boundsOf(schema);
}

function boundsOf({ minimum, maximum, minLength, maxLength }: JsonSchema): string {
  const [low = 0, high] = [minimum ?? minLength, maximum ?? maxLength];
  const unit = maxLength === undefined ? "" : " characters";
  // zod writes the largest safe integer where there is no other bound.
  if (high === undefined || high === Number.MAX_SAFE_INTEGER) return "";
  return ` (${low === 0 ? "up to" : `${low} to`} ${high.toLocaleString("en-US")}${unit})`;
}

function nameIn(ref: string): string {
  return ref.split("/").at(-1) ?? ref;
}
