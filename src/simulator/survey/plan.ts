/**
 * The survey of one folder, from its listing to its map, as a plan that asks for tool calls and goes on with their
 * outcomes.
 *
 * S1  The same conversation gives the same next calls: order of arrival, time and what other agents do have no part in it.
 * S2  Each call is asked for once (an interrupted one a few times more), so that the plan ends.
 * S3  What failed is counted and named, and never stops the survey: a child, a file, a search.
 */

import type { Call, Outcome } from "./calls.ts";
import { agentNames, childTask } from "./children.ts";
import { type FolderFacts, totalsOf } from "./folder.ts";
import { languageOf } from "./languages.ts";
import { folderMap, parseReport, report, rootPage, type SubfolderMap } from "./map.ts";
import { EXPORTS, OPEN_MARKERS } from "./patterns.ts";
import { type Ended, type Listing, linesOf, parseEnded, parseListing, parseMatches } from "./results.ts";
import { added, type Totals } from "./totals.ts";
import { type Plan, wholeText } from "./whole.ts";

/** Entries of one listing, lines of one file's head, matches of one search. */
const ENTRIES_PER_PAGE = 200;
const HEAD_LINES = 40;
const MATCHES_MAX = 200;
/** Children of one wait: what four of them report is mostly shown whole. */
const CHILDREN_PER_WAIT = 4;
/** Files of one folder that are read; a survey of more would not fit a model's context. */
const FILES_READ_MAX = 240;
/** Folders that hold a version control system's own data. */
const SKIPPED = new Set([".git", ".hg", ".svn"]);

export interface SurveyOptions {
  readonly path: string;
  readonly isRoot: boolean;
  /** Most output tokens of one answer, which a map must fit. */
  readonly tokensMax: number;
}

/** Returns the agent's final words. */
export function* surveyFolder({ path, isRoot, tokensMax }: SurveyOptions): Plan<string> {
  const listing = yield* list(path);
  if (typeof listing === "string") return `Could not survey ${path}: ${listing}`;
  const folders = listing.folders.filter((name) => !SKIPPED.has(name));
  const names = agentNames(folders);
  const files = listing.files.filter(({ name }) => languageOf(name) !== "Binary").slice(0, FILES_READ_MAX);
  const spawns = folders.map((folder) => spawn(names.get(folder) ?? folder, childTask(join(path, folder))));
  const searches = [search(path, EXPORTS), search(path, OPEN_MARKERS)];
  const reads = files.map(({ name }) => read(join(path, name)));
  const outcomes = yield [...spawns, ...searches, ...reads];
  const spawned = outcomes.slice(0, spawns.length);
  const [exported, marked, ...heads] = outcomes.slice(spawns.length);
  const facts: Omit<FolderFacts, "missing"> = {
    listing,
    lines: new Map(files.flatMap(({ name }, at) => knownLines(name, heads[at]))),
    exports: yield* matchesOf(exported),
    fixmes: yield* matchesOf(marked),
  };
  const children = yield* collect(folders, names, spawned);
  const missing = children.flatMap(({ folder, why }) => (why === undefined ? [] : [{ path: folder, why }]));
  const own = totalsOf({ ...facts, missing });
  const known = children.flatMap(({ folder, totals }) => (totals ? [{ folder, totals }] : []));
  const subtree = added(own, known);
  const skipped = listing.folders.filter((name) => SKIPPED.has(name));
  const failures = yield* write(
    { path, own, subtree, subfolders: known, links: listing.links, skipped },
    { isRoot, tokensMax },
  );
  return report(path, subtree, failures);
}

/** The whole listing, or why there is none. */
function* list(path: string): Plan<Listing | string> {
  const page = (offset: number): Call => ({ name: "list_files", input: { path, offset, limit: ENTRIES_PER_PAGE } });
  const [first] = yield [{ name: "list_files", input: { path, limit: ENTRIES_PER_PAGE } }];
  if (!first || first.failed) return first?.text ?? "no answer";
  const listing = parseListing(yield* wholeText(first));
  if (listing.next === undefined) return listing;
  const offsets: number[] = [];
  for (let offset = listing.next; offset < listing.entries; offset += ENTRIES_PER_PAGE) offsets.push(offset);
  for (const outcome of yield offsets.map(page)) {
    const more = parseListing(yield* wholeText(outcome));
    listing.folders.push(...more.folders);
    listing.files.push(...more.files);
    listing.links += more.links;
  }
  return listing;
}

function knownLines(name: string, head: Outcome | undefined): [string, number][] {
  const lines = head && linesOf(head);
  return lines === undefined ? [] : [[name, lines]];
}

/** A search that failed found nothing. */
function* matchesOf(outcome: Outcome | undefined): Plan<ReturnType<typeof parseMatches>> {
  if (!outcome || outcome.failed) return { count: 0, matches: [] };
  return parseMatches(yield* wholeText(outcome));
}

interface Child {
  readonly folder: string;
  /** Exactly one of the two is there. */
  readonly totals: Totals | undefined;
  readonly why: string | undefined;
}

/**
 * Waits for the children, a few with each call so that a result seldom is too long to be shown whole. One whose end is not in
 * what could be read is asked for alone.
 */
function* collect(
  folders: readonly string[],
  names: ReadonlyMap<string, string>,
  spawned: readonly Outcome[],
): Plan<Child[]> {
  const ended = new Map<string, Ended>();
  const nameOf = (folder: string, at: number) =>
    /^agent (\S+) started/.exec(spawned[at]?.text ?? "")?.[1] ?? names.get(folder) ?? folder;
  const started = folders.flatMap((folder, at) => (spawned[at]?.failed ? [] : [nameOf(folder, at)]));
  for (const few of [CHILDREN_PER_WAIT, 1]) {
    const unseen = started.filter((name) => !ended.has(name));
    for (const outcome of yield waits(unseen, few)) {
      if (outcome.failed) continue;
      for (const each of parseEnded(yield* wholeText(outcome))) ended.set(each.name, each);
    }
  }
  return folders.map((folder, at) => childOf(folder, ended.get(nameOf(folder, at)), spawned[at]));
}

function waits(names: readonly string[], few: number): Call[] {
  const calls: Call[] = [];
  for (let from = 0; from < names.length; from += few) {
    calls.push({ name: "wait_for_agents", input: { names: names.slice(from, from + few) } });
  }
  return calls;
}

const WHY_LENGTH_MAX = 100;

function childOf(folder: string, ended: Ended | undefined, spawned: Outcome | undefined): Child {
  const totals = ended?.status === "completed" ? parseReport(ended.output) : undefined;
  if (totals) return { folder, totals, why: undefined };
  const why = ended
    ? [ended.status, ended.error ?? ended.output.split("\n", 1)[0]].filter(Boolean).join(": ")
    : spawned?.failed
      ? `not started: ${spawned.text}`
      : "never reported";
  return { folder, totals: undefined, why: why.slice(0, WHY_LENGTH_MAX).toWellFormed() };
}

/** Writes the maps and returns what of them could not be written. */
function* write(map: SubfolderMap, { isRoot, tokensMax }: { isRoot: boolean; tokensMax: number }): Plan<string[]> {
  const calls: Call[] = [artifact("map.json", "application/json", folderMap(map, tokensMax))];
  if (isRoot) calls.push(artifact("map.md", "text/markdown", rootPage(map, tokensMax)));
  const outcomes = yield calls;
  return outcomes.flatMap(({ failed, text }, at) =>
    failed ? [`${calls[at]?.input.name} was not written: ${text}`] : [],
  );
}

function spawn(name: string, task: string): Call {
  return { name: "spawn_agent", input: { name, task } };
}

function search(path: string, pattern: string): Call {
  return { name: "search_files", input: { pattern, path, recursive: false, limit: MATCHES_MAX } };
}

function read(path: string): Call {
  return { name: "read_file", input: { path, limit: HEAD_LINES } };
}

function artifact(name: string, mediaType: string, content: string): Call {
  return { name: "write_artifact", input: { name, mediaType, content } };
}

function join(folder: string, name: string): string {
  return folder === "." ? name : `${folder}/${name}`;
}
