/** docs/events.md: every event of a journal with its fields, and the shapes that they share. */
import type { z } from "zod";
import { assistantPart, content, contentReference, json } from "../../src/agent/content.ts";
import {
  artifactReference,
  budget,
  EVENT_VERSION,
  EVENTS,
  execution,
  failure,
  rights,
  sender,
} from "../../src/agent/events.ts";
import { price, usage } from "../../src/agent/usage.ts";
import { code, opening, table } from "./markdown.ts";
import { type Field, shapesOf } from "./shapes.ts";
import { commentsIn, readSource } from "./source.ts";

const SOURCES = ["src/agent/events.ts", "src/agent/content.ts", "src/agent/usage.ts"];

/** What more than one event is made of, in the order of the page. */
const SHARED: Readonly<Record<string, z.ZodType>> = {
  content,
  contentReference,
  assistantPart,
  execution,
  price,
  usage,
  rights,
  budget,
  sender,
  artifactReference,
  failure,
  json,
};

export function eventsPage(): string {
  const comments = new Map(SOURCES.flatMap((path) => [...commentsIn(readSource(path))]));
  const describe = shapesOf(SHARED);
  const fieldsTable = (fields: readonly Field[], owner: string) => {
    const rows = fields.map(({ name, type, optional }) => [
      code(name) + (optional ? " (optional)" : ""),
      linked(type),
      comments.get(`${owner}.${name}`) ?? "",
    ]);
    return table(["field", "type", "says"], rows);
  };

  const events = Object.entries(EVENTS).map(([type, schema]) => {
    const [fields = []] = describe(schema).alternatives;
    const own = fields.filter(({ name }) => name !== "type");
    const body = own.length > 0 ? fieldsTable(own, `EVENTS.${type}`) : "It has no fields of its own.";
    return `### ${type}\n\n${schema.description}\n\n${body}\n`;
  });

  const shapes = Object.entries(SHARED).map(([name, schema]) => {
    const { alternatives, type } = describe(schema);
    const says = comments.get(name);
    const tables = alternatives.map((fields) => fieldsTable(fields, name));
    const whole = tables.length === 0 ? [code(type)] : tables.length === 1 ? tables : ["One of:", ...tables];
    return `### ${name}\n\n${says ? `${says}\n\n` : ""}${whole.join("\n\n")}\n`;
  });

  return `${opening("Events", SOURCES.join(", "))}
An agent is the log of these events, its journal. Each one stands there with its agent, its sequence \`seq\` from 1, its
\`time\` in milliseconds since the epoch, and its version, ${EVENT_VERSION} today. An event is never changed, and a type once
released keeps its meaning; a reader refuses a version it does not know. Amounts that end in \`Usd\` are US dollars, and
a \`digest\` is \`sha256:\` and 64 hexadecimal digits. A \`code\` is one of [errors](errors.md).

## The events

${events.join("\n")}
## Shapes they share

${shapes.join("\n")}`
    .trimEnd()
    .concat("\n");
}

/** The type, leading to its section when it is one of the shared shapes or a list of them. */
function linked(type: string): string {
  const name = type.replace(/\[\]$/, "");
  return name in SHARED ? `[${code(type)}](#${name.toLowerCase()})` : code(type);
}
