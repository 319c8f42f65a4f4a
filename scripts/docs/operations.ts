/** docs/operations.md: the operations of the control socket and the client. */
import { z } from "zod";
import { OPERATIONS, type OperationName } from "../../src/server/contract/operations.ts";
import { code, opening, table } from "./markdown.ts";

const SOURCE = "src/server/contract/operations.ts";

export function operationsPage(): string {
  const names = Object.keys(OPERATIONS) as OperationName[];
  const rows = names.map((name) => {
    const { does, answers, says, input, output } = OPERATIONS[name];
    return [code(name), says, does, fieldsOf(input), `${answers === "many" ? "a stream of " : ""}${fieldsOf(output)}`];
  });
  return `${opening("Operations", SOURCE)}
What can be asked of the process that runs the agents: as methods of the client (\`import { connect } from
"banyan/client"\`), as JSON lines over the control socket (\`src/server/protocol.ts\` has the form of the lines),
and over HTTP while \`banyan up\` runs: \`POST /v1/NAME\` with a token, described at \`/v1/openapi.json\`.
Fields with a question mark may be left out; fields that are not known are refused.

The client takes a data folder, \`connect(folder)\`, or a server that \`banyan up\` runs, \`connect({ url, token })\`: the operations are the same.
So do the commands, where \`BANYAN_URL\` and \`BANYAN_TOKEN\` are set and no \`--data\` is given. A token goes to another machine by https alone.

${table(["operation", "what it does", "reads or commands", "takes", "answers"], rows)}
`;
}

interface Schema {
  readonly properties?: Record<string, unknown>;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly required?: readonly string[];
}

/** Names of the fields, of each form where there are several. */
function fieldsOf(schema: z.ZodType): string {
  return formsOf(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Schema).join(" or ");
}

function formsOf({ properties, required = [], anyOf, oneOf }: Schema): string[] {
  const forms = anyOf ?? oneOf;
  if (forms) return forms.flatMap(formsOf);
  const names = Object.keys(properties ?? {}).map((name) => (required.includes(name) ? name : `${name}?`));
  return [names.length > 0 ? code(names.join(", ")) : "nothing"];
}
