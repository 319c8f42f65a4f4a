/**
 * Which agent someone means.
 *
 * S1  What could mean two agents is refused, and the error names them: a command must never reach the wrong one.
 */
import type { Forest } from "../agent/forest.ts";
import type { Node } from "../agent/forest-node.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";

/** Shorter beginnings of ids would be hit by chance. */
const PREFIX_LENGTH_MIN = 6;
const PREFIX_SYNTAX = /^[0-9a-hjkmnp-tv-z]+$/;
/** Agents that an error names. */
const NAMED_MAX = 5;

/**
 * The agent that the text means: an id, a path of names from a root down (`/lead/worker`), the name of a root, or 6 or more
 * characters with which only one id begins; in this order.
 * @throws AGENT_NOT_FOUND, AGENT_AMBIGUOUS
 */
export function selectAgent(forest: Forest, text: string): AgentId {
  const wanted = text.trim();
  const known = forest.get(wanted);
  if (known) return known.head.agent;
  if (wanted.startsWith("/")) return only(forest, wanted, byPath(forest, wanted));
  const roots = forest.roots().filter(({ head }) => head.name === wanted);
  if (roots.length > 0) return only(forest, wanted, roots);
  const isPrefix = wanted.length >= PREFIX_LENGTH_MIN && PREFIX_SYNTAX.test(wanted.toLowerCase());
  return only(forest, wanted, isPrefix ? byPrefix(forest, wanted.toLowerCase()) : []);
}

/** Names from the root down: `/lead/worker`. */
export function pathOf(forest: Forest, agent: AgentId): string {
  const names = [...forest.path(agent)].map(({ head }) => head.name);
  return `/${names.reverse().join("/")}`;
}

function only(forest: Forest, wanted: string, found: readonly Node[]): AgentId {
  const [first] = found;
  if (first && found.length === 1) return first.head.agent;
  const shown = JSON.stringify(wanted.slice(0, 80));
  if (!first) throw new BanyanError("AGENT_NOT_FOUND", `no agent ${shown}${elsewhere(forest, wanted)}`);
  const named = found.slice(0, NAMED_MAX).map(({ head }) => `${head.agent} (${pathOf(forest, head.agent)})`);
  const more = found.length > NAMED_MAX ? ` and ${found.length - NAMED_MAX} more` : "";
  throw new BanyanError("AGENT_AMBIGUOUS", `${shown} may mean ${named.join(", ")}${more}`);
}

/** Every step may have several answers: roots share names, children of one agent never do. */
function byPath(forest: Forest, path: string): readonly Node[] {
  const [root, ...names] = path.split("/").filter((name) => name !== "");
  let found = forest.roots().filter(({ head }) => head.name === root);
  for (const name of names) found = found.flatMap(({ children }) => children.filter(({ head }) => head.name === name));
  return found;
}

function byPrefix(forest: Forest, prefix: string): Node[] {
  return [...forest.nodes()].filter(({ head }) => head.agent.startsWith(prefix));
}

/** People try the name of an agent below a root; say how it is written. */
function elsewhere(forest: Forest, name: string): string {
  for (const { head } of forest.nodes()) {
    if (head.name === name) return `; there is ${pathOf(forest, head.agent)}, which is named by this path`;
  }
  return "";
}
