/** docs/configuration.md: the settings as a table. */
import { z } from "zod";
import { SETTINGS, type SettingName, variableOf } from "../../src/runtime/settings.ts";
import { code, opening, table } from "./markdown.ts";

const SOURCE = "src/runtime/settings.ts";

export function configurationPage(): string {
  const { properties } = z.toJSONSchema(SETTINGS, { io: "input" }) as { properties: Record<string, Property> };
  const rows = Object.entries(properties).map(([name, property]) => [
    code(name),
    property.description ?? "",
    property.default === undefined ? "none" : code(String(property.default)),
    rangeOf(property),
    code(variableOf(name as SettingName)),
  ]);
  return `${opening("Configuration", SOURCE)}
A setting is taken from an option of the command or the library, otherwise from its variable, otherwise from the
settings file (\`banyan.json\` in the working folder, or the one that \`--config\` names), otherwise it has its default.
A name that is not known is refused, with the one that was probably meant. \`banyan config check\` prints the settings
in force and where each comes from.

${table(["setting", "what it is", "default", "range", "variable"], rows)}

A settings file is a JSON object:

    { "dataDir": "fleet", "model": "claude-haiku-4-5", "budgetUsd": 20 }

Bounds that are no settings stand in [limits](limits.md).
`;
}

interface Property {
  readonly type: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

function rangeOf({ type, minimum, exclusiveMinimum, maximum }: Property): string {
  if (type === "string") return "text";
  const low = minimum ?? (exclusiveMinimum === undefined ? undefined : `over ${exclusiveMinimum}`);
  const kind = type === "integer" ? "whole" : "number";
  return [kind, low, maximum && `to ${maximum}`].filter((part) => part !== undefined).join(" ");
}
