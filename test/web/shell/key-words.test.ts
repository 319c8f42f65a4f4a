import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FIELD_HELP, NUMBER_FIELDS } from "../../../src/fleet/filter.ts";
import { KEYS } from "../../../src/web/shell/key-words.ts";

const docs = readFileSync(new URL("../../../docs/dashboard.md", import.meta.url), "utf8");
const rows = docs.split("\n").filter((line) => line.startsWith("| `"));

test("the docs say of every key what the help says, and of every field what the filter says", () => {
  const keys = KEYS.map(([names, says]) => `| ${names.replace(/\S+/g, "`$&`")} | ${says} |`);
  const fields = Object.entries(FIELD_HELP).map(
    ([field]) => `| \`${field}${NUMBER_FIELDS.includes(field) ? ">" : ":"}\``,
  );
  expect(rows.slice(0, keys.length)).toEqual(keys);
  expect(rows.slice(keys.length).map((row) => row.slice(0, row.indexOf("`", 3) + 1))).toEqual(fields);
});
