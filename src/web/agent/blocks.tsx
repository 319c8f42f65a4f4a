/** What the parts of an agent's page are made of: titled blocks, and agents as links. */
import type { ReactNode } from "react";
import type { Fleet } from "../../fleet/fleet.ts";
import { count, usd } from "../parts/format.ts";
import { Name } from "../parts/names.tsx";
import { faceOf, State } from "../parts/state.tsx";
import { linkTo } from "../shell/place.ts";

/** Children that are listed by name. */
const LISTED_MAX = 50;

export function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function AgentLink({ fleet, id }: { fleet: Fleet; id: string }) {
  return (
    <a className="as-link" href={linkTo({ page: "agent", agent: id })}>
      <Name text={fleet.name[fleet.ordinalOf(id)] ?? id} />
    </a>
  );
}

export function ChildList({ fleet, agents }: { fleet: Fleet; agents: readonly number[] }) {
  return (
    <ul className="children">
      {agents.slice(0, LISTED_MAX).map((child) => (
        <li key={child}>
          <a href={linkTo({ page: "agent", agent: fleet.id[child] ?? "" })}>
            <Name text={fleet.name[child] ?? ""} />
            <State face={faceOf(fleet, child)} />
            <span className="figure">{usd(fleet.subtreeUsd(child))}</span>
          </a>
        </li>
      ))}
      {agents.length > LISTED_MAX && <li className="quiet">{`and ${count(agents.length - LISTED_MAX)} more`}</li>}
    </ul>
  );
}
