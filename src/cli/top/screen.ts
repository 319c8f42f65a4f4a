/** The lines of `banyan top`, from what the board shows. Text of agents' making passes `oneLine` before it is in a line. */
import type { Status } from "../../agent/status.ts";
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { PROBLEMS, URGENT } from "../../fleet/problems.ts";
import { stickyAncestors } from "../../fleet/sticky.ts";
import { touched } from "../../fleet/touched.ts";
import { compact, dollars, plural } from "../figures.ts";
import { LOOK, type Paint } from "../look.ts";
import { cut, displayWidth, oneLine, padTo } from "../terminal.ts";
import type { Board, Verb } from "./board.ts";
import { KEYS } from "./keys.ts";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** What the screen says beside the board. */
export interface Surroundings {
  readonly paint: Paint;
  /** Milliseconds since the newest news; over STALE_MS they are old. */
  readonly silentMs: number;
  /** What came of the newest action. */
  readonly note: string;
  /** Lines about the agent that is open. */
  readonly detail: readonly string[];
}

const STALE_MS = 2_000;
/** Summary and heading above the rows, a note and the keys below. */
const FRAME_LINES = 4;
const NAME_WIDTH_MIN = 16;
/** What a narrow terminal gives up first. */
const FIGURES = [
  { title: "TURNS", width: 6, of: (fleet: Fleet, agent: number) => compact(at(fleet.turns, agent)) },
  { title: "LAST", width: 6, of: (fleet: Fleet, agent: number) => ageText(fleet.timeMs - at(fleet.lastMs, agent)) },
  { title: "$/MIN", width: 8, of: (fleet: Fleet, agent: number) => usd(at(fleet.sums.burn.nano, agent) / 1e9) },
  { title: "BELOW", width: 6, of: (fleet: Fleet, agent: number) => belowText(fleet, agent) },
  { title: "COST", width: 9, of: (fleet: Fleet, agent: number) => usd(fleet.subtreeUsd(agent)) },
] as const;
/** Of the state in words, and of its symbol alone. */
const STATE_WIDTH = 22;
const SYMBOL_WIDTH = 1;

/** Rows that fit. */
export function rowsIn({ rows }: Size): number {
  return Math.max(1, rows - FRAME_LINES);
}

/** As many lines as there are rows, none longer than there are columns. `first` is the row at the upper edge. */
export function drawScreen(board: Board, size: Size, first: number, around: Surroundings): string[] {
  const { columns } = size;
  const { paint } = around;
  const lines = [summary(board.fleet, columns, around), ...body(board, size, first, around)];
  while (lines.length < size.rows - 2) lines.push("");
  lines.push(prompt(board, columns, around), paint("dim", cut(hints(board), columns)));
  return lines.slice(0, size.rows);
}

/** The row at the upper edge with which the selected one is in view, moved as little as possible. */
export function scrolled(board: Board, size: Size, first: number): number {
  const { agents } = board.rows();
  const height = rowsIn(size);
  const here = agents.indexOf(board.selected);
  const most = Math.max(0, agents.length - height);
  if (here < 0) return Math.min(first, most);
  // What stands fixed at the top covers rows.
  const covered = (from: number) => stickyAncestors(board.fleet, agents, from, board.top).length;
  let next = Math.min(Math.max(first, here - height + 1), most);
  while (next > 0 && here < next + covered(next)) next -= 1;
  return next;
}

function body(board: Board, size: Size, first: number, { paint, detail }: Surroundings): string[] {
  const { columns } = size;
  if (board.mode.is === "help") {
    return ["", ...KEYS.map(([keys, says]) => cut(`  ${padTo(keys, 8)} ${says}`, columns))];
  }
  if (board.mode.is === "agent") return detail.slice(0, size.rows - 3).map((line) => cut(line, columns));
  const { agents } = board.rows();
  if (agents.length === 0) return ["", paint("dim", board.filter === "" ? "no agents yet" : "nothing matches")];
  const figures = FIGURES.filter((_, index) => columns >= NAME_WIDTH_MIN + STATE_WIDTH + widthFrom(index));
  const stateWidth = columns > NAME_WIDTH_MIN + STATE_WIDTH ? STATE_WIDTH : SYMBOL_WIDTH;
  const nameWidth = columns - stateWidth - 1 - widthOf(figures);
  const heads = figures.toReversed().map(({ title, width }) => padTo(title, width, "right"));
  const heading = [padTo("AGENT", nameWidth), padTo("STATE", stateWidth), ...heads].join(" ");
  const sticky = stickyAncestors(board.fleet, agents, first, board.top);
  const shown = [...sticky, ...agents.slice(first + sticky.length, first + rowsIn(size))];
  const rows = shown.map((agent, index) => {
    const text = rowText(board, agent, {
      nameWidth,
      stateWidth,
      figures,
      paint: plainWhen(agent === board.selected, paint),
    });
    if (agent === board.selected) return paint("inverse", padTo(text, columns));
    return index < sticky.length ? paint("dim", text) : text;
  });
  return [paint("dim", cut(heading, columns)), ...rows];
}

/** A selected row has one look from end to end. */
function plainWhen(isPlain: boolean, paint: Paint): Paint {
  return isPlain ? (_style, text) => text : paint;
}

interface RowLayout {
  readonly nameWidth: number;
  readonly stateWidth: number;
  readonly figures: readonly (typeof FIGURES)[number][];
  readonly paint: Paint;
}

function rowText(board: Board, agent: number, { nameWidth, stateWidth, figures, paint }: RowLayout): string {
  const { fleet } = board;
  const depth = at(fleet.level, agent) - (board.top < 0 ? 0 : at(fleet.level, board.top));
  const mark = at(fleet.firstChild, agent) < 0 ? " " : board.isOpen(agent) ? "▾" : "▸";
  // However deep: half of the width is the name's.
  const indent = Math.min(depth * 2, Math.floor(nameWidth / 2));
  const name = padTo(`${" ".repeat(indent)}${mark} ${oneLine(fleet.name[agent] ?? "")}`, nameWidth);
  const status = (fleet.statuses[at(fleet.status, agent)] ?? "queued") as Status;
  const { symbol, style } = LOOK[status];
  const state = padTo(`${symbol} ${stateText(fleet, agent, status)}`, stateWidth);
  const cells = figures.toReversed().map(({ width, of }) => padTo(of(fleet, agent), width, "right"));
  const isUrgent = at(fleet.problem, agent) >= URGENT;
  return [isUrgent ? paint("bold", name) : name, paint(isUrgent ? "red" : style, state), ...cells].join(" ");
}

function stateText(fleet: Fleet, agent: number, status: Status): string {
  const problem = PROBLEMS[at(fleet.problem, agent)];
  if (problem === "stalled") return "stalled";
  const waiting = fleet.waiting[agent] ?? "";
  if (status !== "waiting" || waiting === "") return status;
  return `waits: ${waiting === "rateLimit" ? "rate limit" : waiting}`;
}

/** Agents below it, and how many of those need a person. */
function belowText(fleet: Fleet, agent: number): string {
  const below = at(fleet.sums.agents, agent) - 1;
  const urgent = fleet.sums.urgent(agent) - (at(fleet.problem, agent) >= URGENT ? 1 : 0);
  return below === 0 ? "" : `${urgent > 0 ? "!" : ""}${compact(below)}`;
}

function summary(fleet: Fleet, columns: number, { paint, silentMs }: Surroundings): string {
  if (silentMs > STALE_MS) return paint("yellow", cut(`no news for ${Math.round(silentMs / 1_000)} s`, columns));
  const { all, burn } = fleet.sums;
  const ended = ["completed", "failed", "cancelled"].map((word) => at(all.mix, fleet.statuses.indexOf(word)));
  const live = all.agents - ended.reduce((sum, count) => sum + count, 0);
  let urgent = 0;
  for (let problem = URGENT; problem < PROBLEMS.length; problem++) urgent += at(all.problems, problem);
  const needs = urgent === 0 ? "nothing needs you" : `${urgent} need${urgent === 1 ? "s" : ""} you`;
  const size = `${live} live of ${plural(all.agents, "agent")}`;
  const text = `${size}  ${dollars(all.nano / 1e9)}  ${usd(burn.allNano / 1e9)}/min  ${needs}`;
  return paint(urgent > 0 ? ["bold", "red"] : "bold", cut(text, columns));
}

/** The line in which something is typed, asked or told. */
function prompt(board: Board, columns: number, { paint, note }: Surroundings): string {
  const { mode, fleet, selected } = board;
  const name = oneLine(fleet.name[selected] ?? "");
  switch (mode.is) {
    case "filter":
      return typed(`/${mode.text}`, columns);
    case "text":
      return typed(
        `${mode.verb === "send" ? `message to ${name}` : `task of the fork of ${name}`}: ${mode.text}`,
        columns,
      );
    case "confirm":
      return paint("bold", cut(`${question(fleet, selected, mode.verb)} y/n`, columns));
    case "menu":
      return cut(`${name}: s send  p pause or resume  i interrupt  f fork  x cancel`, columns);
    default: {
      if (board.complaints.length > 0) return paint("yellow", cut(board.complaints.join("; "), columns));
      if (note !== "") return cut(oneLine(note), columns);
      const trouble = fleet.trouble[selected] ?? "";
      if (trouble !== "") return paint("red", cut(oneLine(trouble), columns));
      return board.filter === ""
        ? ""
        : cut(`filter: ${oneLine(board.filter)}: ${board.rows().matching} match`, columns);
    }
  }
}

/** The end of what is typed stays in view. */
function typed(text: string, columns: number): string {
  let shown = oneLine(text);
  while (displayWidth(shown) > columns - 1) shown = [...shown].slice(1).join("");
  return `${shown}▏`;
}

const QUESTIONS: Readonly<Record<Verb, { readonly words: string; readonly below: boolean }>> = {
  send: { words: "send the message to", below: false },
  pause: { words: "pause", below: true },
  resume: { words: "resume", below: true },
  interrupt: { words: "interrupt", below: false },
  fork: { words: "fork", below: false },
  cancel: { words: "cancel", below: true },
};

/** What it touches, before it does. */
function question(fleet: Fleet, agent: number, verb: Verb): string {
  const { words, below } = QUESTIONS[verb];
  const { agents, live, costUsd } = touched(fleet, agent, below);
  const all = below && agents > 1 ? ` and all below it: ${plural(agents, "agent")}, ${live} live,` : ",";
  return `${words} ${oneLine(fleet.name[agent] ?? "")}${all} ${dollars(costUsd)} so far?`;
}

function hints({ mode }: Board): string {
  switch (mode.is) {
    case "filter":
    case "text":
      return "Enter done  Escape back";
    case "agent":
    case "help":
      return "Escape back";
    default:
      return "j k move  l h open close  Enter look  n next problem  / filter  p x f . act  ? keys  q leave";
  }
}

function widthOf(figures: readonly { readonly width: number }[]): number {
  return figures.reduce((sum, { width }) => sum + width + 1, 0);
}

/** What those from this one on take; those before it go first. */
function widthFrom(index: number): number {
  return 1 + widthOf(FIGURES.slice(index));
}

function usd(amount: number): string {
  return amount === 0 ? "·" : dollars(amount);
}

function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
