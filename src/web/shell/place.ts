/**
 * Where in the dashboard one is, as a link that can be sent to somebody: `#/tree?q=status:failed&agent=ID`. No secret is ever in it.
 */
const PAGES = ["triage", "tree", "time", "agent", "cost", "artifacts"] as const;
export type PageName = (typeof PAGES)[number];
/** Those that stand by themselves, in the order of their keys. */
export const TABS: readonly PageName[] = PAGES.filter((page) => page !== "agent");

export interface Place {
  readonly page: PageName;
  /** Id of the agent that is open, beside the page or as the page. */
  readonly agent: string;
  /** Id of the subtree that fills the tree. */
  readonly top: string;
  readonly filter: string;
  /** Part of the agent's view. */
  readonly part: string;
  readonly by: string;
}

const NOWHERE: Place = { page: "triage", agent: "", top: "", filter: "", part: "", by: "" };
const ID = /^[\w-]{1,64}$/;

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page = "", id = "", part = ""] = path.split("/");
  const asked = new URLSearchParams(query);
  const known = PAGES.find((name) => name === page) ?? "triage";
  const idOf = (text: string | null) => (text !== null && ID.test(text) ? text : "");
  return {
    page: known,
    agent: known === "agent" ? idOf(id) : idOf(asked.get("agent")),
    top: idOf(asked.get("top")),
    filter: asked.get("q") ?? "",
    part: known === "agent" ? part : (asked.get("part") ?? ""),
    by: asked.get("by") ?? "",
  };
}

export function linkTo(place: Partial<Place>): string {
  const { page, agent, top, filter, part, by } = { ...NOWHERE, ...place };
  const path = page === "agent" ? `#/agent/${agent}${part === "" ? "" : `/${part}`}` : `#/${page}`;
  const asked = new URLSearchParams();
  if (page !== "agent" && agent !== "") asked.set("agent", agent);
  if (page !== "agent" && part !== "") asked.set("part", part);
  if (top !== "") asked.set("top", top);
  if (filter !== "") asked.set("q", filter);
  if (by !== "") asked.set("by", by);
  const query = asked.toString();
  return query === "" ? path : `${path}?${query}`;
}
