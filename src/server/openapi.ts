/** The API's description (OpenAPI 3.1), made from the schemas that check what comes in. */
import { z } from "zod";
import { OPERATIONS, type OperationName } from "./contract/operations.ts";
import { roleFor } from "./http-guard.ts";

const PROBLEM = {
  type: "object",
  required: ["type", "title", "status", "detail", "code", "remedy", "retryable"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", description: "A code of docs/errors.md." },
    agent: { type: "string" },
    remedy: { type: "string" },
    retryable: { type: "boolean" },
  },
};

let made: object | undefined;

export function openApi(): object {
  made ??= {
    openapi: "3.1.0",
    info: { title: "Banyan", version: "1", description: "Every operation of docs/operations.md." },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } }, schemas: { Problem: PROBLEM } },
    security: [{ token: [] }],
    paths: Object.fromEntries(
      (Object.keys(OPERATIONS) as OperationName[]).map((name) => [`/v1/${name}`, { post: describe(name) }]),
    ),
  };
  return made;
}

function describe(operationId: OperationName) {
  const { says, input, output, answers } = OPERATIONS[operationId];
  const item = schemaOf(output, "output");
  const content =
    answers === "one"
      ? { "application/json": { schema: item } }
      : {
          "application/x-ndjson": {
            schema: {
              description: "Lines: the items, then the end or a problem.",
              oneOf: [
                { type: "object", required: ["item"], properties: { item } },
                { type: "object", required: ["end"], properties: { end: { const: true } } },
                {
                  type: "object",
                  required: ["error"],
                  properties: { error: { $ref: "#/components/schemas/Problem" } },
                },
              ],
            },
          },
        };
  return {
    operationId,
    summary: says,
    description: `Needs the role ${roleFor(operationId)}.`,
    requestBody: { required: true, content: { "application/json": { schema: schemaOf(input, "input") } } },
    responses: {
      200: { description: "Done.", content },
      default: {
        description: "Refused.",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function schemaOf(schema: z.ZodType, io: "input" | "output") {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io, unrepresentable: "any", reused: "inline" });
  return described;
}
