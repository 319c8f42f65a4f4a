/** What else is known of an agent: what it waits for, its budget, inbox, children, artifacts and processes, where it comes from. */
import type { ReactNode } from "react";
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { AgentDetail } from "../../server/contract/agent.ts";
import { download } from "../artifacts/download.ts";
import { bytes, count, dayTime, usd, visible, visibleLine } from "../parts/format.ts";
import { Name } from "../parts/names.tsx";
import { Scrolls } from "../parts/scrolls.tsx";
import { faceOf, State } from "../parts/state.tsx";
import { useLive } from "../shell/live.ts";
import { linkTo } from "../shell/place.ts";
import { useSelection } from "../shell/selection.ts";
import { type Conversation, textOf } from "./conversation.ts";

/** Children that are listed by name. */
const LISTED_MAX = 50;

interface Given {
  readonly detail: AgentDetail | undefined;
  readonly agent: number;
  readonly inbox: Conversation["inbox"];
}

export function About({ detail, agent, inbox }: Given) {
  const { fleet } = useLive();
  const { begin } = useSelection();
  if (!detail) return null;
  const { id, budget, execution, unread, made, processes, asks, heldBy, origin, tenant, mode } = detail;
  const children = childrenOf(fleet, agent);
  const lives = children.filter((child) => !fleet.hasEnded(child));
  const waiting = fleet.waiting[agent] ?? "";
  return (
    <Scrolls label="About" className="about">
      {(waiting !== "" || asks.length > 0 || heldBy !== null) && (
        <Block title="Waits for">
          {heldBy !== null && (
            <p>
              {heldBy === id ? "a hold of its own" : "the hold of "}
              {heldBy !== id && <AgentLink fleet={fleet} id={heldBy} />}
            </p>
          )}
          {asks.map(({ callId, tool }) => (
            <p key={callId}>
              a person, to allow <bdi className="mono">{visibleLine(tool)}</bdi>{" "}
              <button type="button" className="button" onClick={() => begin({ verb: "answer", agent: id, callId })}>
                Answer…
              </button>
            </p>
          ))}
          {waiting === "children" ? (
            <ChildList fleet={fleet} agents={lives} />
          ) : (
            waiting !== "" && asks.length === 0 && <State face={faceOf(fleet, agent)} />
          )}
        </Block>
      )}
      <Block title="Budget, for the whole subtree">
        {budget?.costUsd === undefined ? (
          <p className="quiet">No bound of its own on dollars.</p>
        ) : (
          <>
            <p>{`${usd(fleet.subtreeUsd(agent))} of ${usd(budget.costUsd)} spent`}</p>
            <progress
              max={budget.costUsd}
              value={fleet.subtreeUsd(agent)}
              aria-label="Part of the budget that is spent"
            />
          </>
        )}
        {budget?.agents !== undefined && <p>{`${count(budget.agents)} agents at most`}</p>}
        {budget?.levels !== undefined && <p>{`${count(budget.levels)} levels at most`}</p>}
      </Block>
      <Block title={`Inbox: ${count(unread)} unread`}>
        {[...inbox.entries()].map(([message, { from, text, time }]) => (
          <p key={message}>
            <span className="quiet">{`${dayTime(time)}, from ${visibleLine(from.name ?? from.id ?? from.kind)}: `}</span>
            <bdi>{visible(textOf(text)).slice(0, 400)}</bdi>
          </p>
        ))}
      </Block>
      {made.length > 0 && (
        <Block title={`Artifacts: ${count(made.length)}`}>
          {made.map(({ name, bytes: size, mediaType }) => (
            <p key={name}>
              <button type="button" className="as-link" onClick={() => void download({ agent: id, name, mediaType })}>
                <bdi>{visibleLine(name)}</bdi>
              </button>
              <span className="quiet">{` ${bytes(size)}, ${visibleLine(mediaType)}`}</span>
            </p>
          ))}
        </Block>
      )}
      {processes.length > 0 && (
        <Block title={`Processes: ${count(processes.length)}`}>
          {processes.map(({ id: process, name, argv, phase, restarts }) => (
            <p key={process}>
              <b>
                <bdi>{visibleLine(name)}</bdi>
              </b>
              <span className="quiet">{` ${phase}, ${count(restarts)} restarts `}</span>
              <bdi className="mono">{visibleLine(argv.join(" ")).slice(0, 200)}</bdi>
            </p>
          ))}
        </Block>
      )}
      {children.length > 0 && (
        <Block title={`Children: ${count(children.length)}, ${count(lives.length)} live`}>
          <ChildList fleet={fleet} agents={children} />
        </Block>
      )}
      <Block title="Agent">
        <p>{`${visibleLine(execution.model)}, by ${visibleLine(execution.provider)}, driver ${execution.driver}`}</p>
        <p>{`${mode}, level ${count(at(fleet.level, agent))}, tenant ${visibleLine(tenant)}`}</p>
        {origin !== null && (
          <p>
            a fork of <AgentLink fleet={fleet} id={origin.agent} />
            {` at event ${origin.seq}`}
          </p>
        )}
        <p className="mono quiet">{id}</p>
      </Block>
    </Scrolls>
  );
}

function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function AgentLink({ fleet, id }: { fleet: Fleet; id: string }) {
  return (
    <a className="as-link" href={linkTo({ page: "agent", agent: id })}>
      <Name text={fleet.name[fleet.ordinalOf(id)] ?? id} />
    </a>
  );
}

function ChildList({ fleet, agents }: { fleet: Fleet; agents: readonly number[] }) {
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

function childrenOf(fleet: Fleet, agent: number): number[] {
  const children: number[] = [];
  for (let child = at(fleet.firstChild, agent); child >= 0; child = at(fleet.nextSibling, child)) children.push(child);
  return children;
}
