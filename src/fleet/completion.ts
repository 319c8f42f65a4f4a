/**
 * How the term of a filter at the caret could go on: with a field, or with a value of its field that the fleet has. Pure.
 *
 * C1  Whatever is offered, put in place of the term, is a filter without complaints, or one that lacks its value alone.
 */
import { at } from "./columns.ts";
import { FIELD_HELP, FLAG_NAMES, NUMBER_FIELDS, TERMS, WORD_FIELDS } from "./filter.ts";
import type { Fleet } from "./fleet.ts";
import { PROBLEMS } from "./problems.ts";

export interface Offer {
  /** Takes the place of the text between `from` and `to`. */
  readonly insert: string;
  /** What it means, or how many agents have it. */
  readonly says: string;
}

export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly offers: readonly Offer[];
  /** What is to be typed, where nothing can be offered. */
  readonly hint: string;
}

const OFFERS_MAX = 9;
const BEGUN = /^(-?)(?:([a-z]+)(:|>=|<=|>|<|=))?(.*)$/i;

export function completionAt(text: string, caret: number, fleet: Fleet): Completion {
  const term = [...text.matchAll(TERMS)].find(({ 0: each, index }) => index <= caret && caret <= index + each.length);
  const from = term?.index ?? caret;
  const to = from + (term?.[0].length ?? 0);
  const [, dash = "", field = "", operator = "", typed = ""] = BEGUN.exec(term?.[0] ?? "") ?? [];
  if (field === "") return { from, to, hint: "", offers: fieldsLike(typed).map((offer) => dashed(offer, dash)) };
  const name = field.toLowerCase();
  const before = typed.lastIndexOf(",") + 1;
  const wanted = typed.slice(before).replace(/^"/, "").toLowerCase();
  const chosen = new Set(typed.slice(0, before).split(","));
  const offers = valuesOf(name, fleet)
    .filter(({ insert }) => insert.toLowerCase().includes(wanted) && !chosen.has(insert))
    // Only a value that stands alone can be quoted.
    .filter(({ insert }) => before === 0 || !insert.includes(" "))
    .slice(0, OFFERS_MAX)
    .map(({ insert, says }) => ({
      insert: `${dash}${field}${operator}${typed.slice(0, before)}${quoted(insert)}`,
      says,
    }));
  const isWhole = offers.length === 1 && offers[0]?.insert === text.slice(from, to);
  const hint = Object.hasOwn(FIELD_HELP, name) && offers.length === 0 && typed === "" ? (FIELD_HELP[name] ?? "") : "";
  return { from, to, hint, offers: isWhole ? [] : offers };
}

/** The text with the offer in its place, and where the caret goes: after a value there is room for the next term. */
export function completed(text: string, { from, to }: Completion, { insert }: Offer): { text: string; caret: number } {
  const rest = text.slice(to);
  const isField = /[:>]$/.test(insert);
  const gap = isField || rest.startsWith(" ") ? "" : " ";
  const put = `${insert}${gap}`;
  return { text: `${text.slice(0, from)}${put}${rest}`, caret: from + put.length };
}

function fieldsLike(typed: string): Offer[] {
  const wanted = typed.toLowerCase();
  return Object.entries(FIELD_HELP)
    .filter(([field]) => field.startsWith(wanted))
    .slice(0, wanted === "" ? OFFERS_MAX : undefined)
    .map(([field, says]) => ({ insert: `${field}${NUMBER_FIELDS.includes(field) ? ">" : ":"}`, says }));
}

function dashed({ insert, says }: Offer, dash: string): Offer {
  return { insert: `${dash}${insert}`, says: dash === "" ? says : `not: ${says}` };
}

/** Values that the fleet has, those that most agents have first. */
function valuesOf(field: string, fleet: Fleet): Offer[] {
  if (field === "is") return FLAG_NAMES.map((insert) => ({ insert, says: FLAG_WORDS[insert] ?? "" }));
  if (!WORD_FIELDS.includes(field)) return [];
  switch (field) {
    case "status":
      return counted(fleet, fleet.statuses, (agent) => fleet.statuses[at(fleet.status, agent)]);
    case "waiting":
      return counted(fleet, [], (agent) => fleet.waiting[agent]);
    case "model":
      return counted(fleet, [], (agent) => fleet.models[at(fleet.model, agent)]);
    case "problem":
      return counted(fleet, PROBLEMS.slice(1), (agent) => PROBLEMS[at(fleet.problem, agent)]).filter(
        ({ insert }) => insert !== "none",
      );
    case "name":
      return counted(fleet, [], (agent) => fleet.name[agent]);
    default:
      return [];
  }
}

const FLAG_WORDS: Readonly<Record<string, string>> = {
  live: "has not ended",
  ended: "has ended",
  hold: "has a hold of its own",
  fork: "is a fork",
  problem: "has a problem",
};

function counted(fleet: Fleet, known: readonly string[], valueAt: (agent: number) => string | undefined): Offer[] {
  const counts = new Map<string, number>(known.map((value) => [value, 0]));
  for (let agent = 0; agent < fleet.count; agent++) {
    const value = valueAt(agent);
    // Not those that the language has no way to write.
    if (value !== undefined && value !== "" && !/[",]|[^\S ]/.test(value))
      counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([insert, agents]) => ({ insert, says: String(agents) }));
}

function quoted(value: string): string {
  return value.includes(" ") ? `"${value}"` : value;
}
