/**
 * What `banyan top` shows and what its keys do, without a terminal: the same tree with the same keys as the dashboard's.
 *
 * T1  A key that does something to agents asks first, and says how many it touches and what they have cost.
 * T2  A row that is selected stays so while others come and go.
 */
import { at } from "../../fleet/columns.ts";
import { parseFilter } from "../../fleet/filter.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { type TreeView, type VisibleRows, visibleRows } from "../../fleet/rows.ts";
import { nextProblem } from "../../fleet/triage.ts";

export type Verb = "send" | "pause" | "resume" | "interrupt" | "fork" | "cancel";

export type Mode =
  | { readonly is: "tree" }
  | { readonly is: "filter"; readonly text: string; readonly before: string }
  | { readonly is: "menu" }
  /** A text is asked for: a message, or the task of a fork. */
  | { readonly is: "text"; readonly verb: "send" | "fork"; readonly text: string }
  | { readonly is: "confirm"; readonly verb: Verb; readonly text: string }
  | { readonly is: "agent" }
  | { readonly is: "help" };

/** What is to be done outside. */
export type Effect =
  | { readonly do: "quit" }
  | { readonly do: "show"; readonly agent: string }
  | { readonly do: Verb; readonly agent: string; readonly text: string };

const MENU: Readonly<Record<string, Verb>> = { s: "send", i: "interrupt", f: "fork", x: "cancel" };
const TEXT_LENGTH_MAX = 2_000;
const TREE: Mode = { is: "tree" };

export class Board {
  readonly fleet: Fleet;
  mode: Mode = TREE;
  selected = -1;
  filter = "";
  /** The subtree that fills the screen; -1 for all. */
  top = -1;
  readonly #opened = new Map<number, boolean>();
  #rows: VisibleRows = { agents: new Int32Array(), matching: 0, marks: undefined };
  #made = "";
  #changes = 0;

  constructor(fleet: Fleet) {
    this.fleet = fleet;
  }

  /** All agents were told anew: what was known by ordinals is found again by ids. */
  again(idOf: { readonly selected: string; readonly top: string }): void {
    this.selected = this.fleet.ordinalOf(idOf.selected);
    this.top = this.fleet.ordinalOf(idOf.top);
    this.#opened.clear();
    this.#changes += 1;
  }

  get view(): TreeView {
    const { matches } = parseFilter(this.filter);
    const { selected, top } = this;
    return { top, opened: this.#opened, selected, matches: matches?.(this.fleet) };
  }

  get complaints(): readonly string[] {
    return parseFilter(this.filter).complaints.map(({ says }) => says);
  }

  rows(): VisibleRows {
    const made = `${this.fleet.version} ${this.#changes} ${this.selected}`;
    if (made === this.#made) return this.#rows;
    this.#rows = visibleRows(this.fleet, this.view);
    this.#made = made;
    return this.#rows;
  }

  /** Whether its children are shown. */
  isOpen(agent: number): boolean {
    const { agents } = this.rows();
    const next = agents[agents.indexOf(agent) + 1];
    return next !== undefined && at(this.fleet.parent, next) === agent;
  }

  /** `height` is that of the rows: what a page is. */
  press(key: string, height: number): Effect | undefined {
    const effect = this.#take(key, height);
    this.#changes += 1;
    return effect;
  }

  #take(key: string, height: number): Effect | undefined {
    if (key === "Quit") return { do: "quit" };
    const { mode } = this;
    switch (mode.is) {
      case "filter":
        return this.#type(mode, key);
      case "text":
        return this.#write(mode, key);
      case "confirm":
        return this.#answer(mode, key);
      case "menu":
        return this.#choose(key);
      case "agent":
      case "help":
        if (["Escape", "Enter", "q", "h", "ArrowLeft"].includes(key)) this.mode = TREE;
        if (mode.is === "agent" && ["p", "x", "f", "."].includes(key)) return this.#onTree(key, height);
        return undefined;
      case "tree":
        return this.#onTree(key, height);
    }
  }

  #onTree(key: string, height: number): Effect | undefined {
    const { agents } = this.rows();
    const page = Math.max(1, height - 2);
    switch (key) {
      case "j":
      case "ArrowDown":
        return this.#step(agents, 1);
      case "k":
      case "ArrowUp":
        return this.#step(agents, -1);
      case "PageDown":
        return this.#step(agents, page);
      case "PageUp":
        return this.#step(agents, -page);
      case "g":
      case "Home":
        return this.#step(agents, -agents.length);
      case "G":
      case "End":
        return this.#step(agents, agents.length);
      case "l":
      case "ArrowRight":
        return this.#inwards();
      case "h":
      case "ArrowLeft":
        return this.#outwards();
      case "n":
      case "N":
        return this.#nextProblem(key === "n" ? 1 : -1);
      case "/":
        this.mode = { is: "filter", text: this.filter, before: this.filter };
        return undefined;
      case "z":
        this.top = this.top === this.selected ? -1 : this.selected;
        return undefined;
      case "Escape":
        if (this.filter !== "") this.filter = "";
        else this.top = -1;
        return undefined;
      case "?":
        this.mode = { is: "help" };
        return undefined;
      case "q":
        return { do: "quit" };
      default:
        return this.#onAgent(key);
    }
  }

  #onAgent(key: string): Effect | undefined {
    const agent = this.fleet.id[this.selected];
    if (agent === undefined) return undefined;
    switch (key) {
      case "Enter":
        this.mode = { is: "agent" };
        return { do: "show", agent };
      case ".":
        this.mode = { is: "menu" };
        return undefined;
      case "p":
        this.mode = { is: "confirm", verb: this.#isHeld ? "resume" : "pause", text: "" };
        return undefined;
      case "x":
        this.mode = { is: "confirm", verb: "cancel", text: "" };
        return undefined;
      case "f":
        this.mode = { is: "text", verb: "fork", text: "" };
        return undefined;
      default:
        return undefined;
    }
  }

  get #isHeld(): boolean {
    return at(this.fleet.hold, this.selected) > 0;
  }

  #step(agents: Int32Array, by: number): undefined {
    const here = agents.indexOf(this.selected);
    const from = here < 0 ? (by > 0 ? -1 : agents.length) : here;
    this.selected = agents[Math.max(0, Math.min(agents.length - 1, from + by))] ?? -1;
    return undefined;
  }

  #inwards(): undefined {
    const child = at(this.fleet.firstChild, this.selected);
    if (this.selected < 0 || child < 0) return undefined;
    if (this.isOpen(this.selected)) this.selected = child;
    else this.#opened.set(this.selected, true);
    return undefined;
  }

  #outwards(): undefined {
    if (this.selected < 0) return undefined;
    const parent = at(this.fleet.parent, this.selected);
    if (at(this.fleet.firstChild, this.selected) >= 0 && this.isOpen(this.selected)) {
      this.#opened.set(this.selected, false);
    } else if (parent >= 0 && this.selected !== this.top) this.selected = parent;
    return undefined;
  }

  #nextProblem(step: 1 | -1): undefined {
    const next = nextProblem(this.fleet, this.selected, step);
    if (next >= 0) this.selected = next;
    return undefined;
  }

  #type(mode: Extract<Mode, { is: "filter" }>, key: string): undefined {
    if (key === "Escape") this.filter = mode.before;
    if (key === "Escape" || key === "Enter") this.mode = TREE;
    else {
      const text = edited(mode.text, key);
      this.filter = text;
      this.mode = { ...mode, text };
    }
    return undefined;
  }

  #write(mode: Extract<Mode, { is: "text" }>, key: string): undefined {
    if (key === "Escape") this.mode = TREE;
    else if (key !== "Enter") this.mode = { ...mode, text: edited(mode.text, key) };
    // A fork may go without a task of its own; a message says something.
    else if (mode.verb === "fork" || mode.text !== "") {
      this.mode = { is: "confirm", verb: mode.verb, text: mode.text };
    }
    return undefined;
  }

  /** T1. */
  #answer({ verb, text }: Extract<Mode, { is: "confirm" }>, key: string): Effect | undefined {
    if (!["y", "Enter", "n", "Escape", "q"].includes(key)) return undefined;
    this.mode = TREE;
    const agent = this.fleet.id[this.selected];
    return (key === "y" || key === "Enter") && agent !== undefined ? { do: verb, agent, text } : undefined;
  }

  #choose(key: string): undefined {
    this.mode = TREE;
    const verb = key === "p" ? (this.#isHeld ? "resume" : "pause") : Object.hasOwn(MENU, key) ? MENU[key] : undefined;
    if (verb === undefined) return undefined;
    const needsText = verb === "send" || verb === "fork";
    this.mode = needsText ? { is: "text", verb, text: "" } : { is: "confirm", verb, text: "" };
    return undefined;
  }
}

function edited(text: string, key: string): string {
  if (key === "Backspace") return [...text].slice(0, -1).join("");
  return [...key].length === 1 && text.length < TEXT_LENGTH_MAX ? text + key : text;
}
