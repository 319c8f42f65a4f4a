/** Tables for people: plain columns without borders. Cells are made safe here, so that no command can forget it. */
import Table from "cli-table3";
import { oneLine } from "./terminal.ts";

export type Cell = string | number;

/** Heads in upper case name the columns; a head that begins with `>` is that of a column of figures. */
export function tableOf(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const table = new Table({
    head: heads.map((head) => head.replace(/^>/, "")),
    colAligns: heads.map((head) => (head.startsWith(">") ? "right" : "left")),
    chars: NO_BORDERS,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
  });
  table.push(...rows.map((row) => row.map((cell) => oneLine(String(cell)))));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};
