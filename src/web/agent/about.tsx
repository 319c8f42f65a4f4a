/** What else is known of an agent: what it waits for, its budget, inbox, children, artifacts and processes, where it comes from. */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { AgentDetail } from "../../server/contract/agent.ts";
import { download } from "../artifacts/download.ts";
import { bytes, count, dayTime, usd, visible, visibleLine } from "../parts/format.ts";
import { Scrolls } from "../parts/scrolls.tsx";
import { useLive } from "../shell/live.ts";
import { AgentLink, Block, ChildList } from "./blocks.tsx";
import { type Conversation, textOf } from "./conversation.ts";
import { Waits } from "./waits.tsx";

interface Given {
  readonly detail: AgentDetail | undefined;
  readonly agent: number;
  readonly conversation: Conversation;
}

export function About({ detail, agent, conversation }: Given) {
  const { fleet } = useLive();
  if (!detail) return <p className="quiet none">Reading what is known of it…</p>;
  const { id, budget, execution, unread, made, processes, origin, tenant, mode, archives } = detail;
  const children = childrenOf(fleet, agent);
  const lives = children.filter((child) => !fleet.hasEnded(child));
  return (
    <Scrolls label="About" className="about">
      <Waits fleet={fleet} agent={agent} detail={detail} lives={lives} conversation={conversation} />
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
        {unread === 0 && <p className="quiet">It has read all that it was sent.</p>}
        {[...conversation.inbox.entries()].map(([message, { from, text, time }]) => (
          <p key={message}>
            <span className="quiet">{`${dayTime(time)}, from `}</span>
            {from.kind === "agent" && from.id !== undefined ? (
              <AgentLink fleet={fleet} id={from.id} />
            ) : (
              visibleLine(from.name ?? from.id ?? from.kind)
            )}
            <span className="quiet">: </span>
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
          {/* Those that it waits for stand above. */}
          <ChildList
            fleet={fleet}
            agents={fleet.waiting[agent] === "children" ? children.filter((child) => fleet.hasEnded(child)) : children}
          />
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
        {archives.map(({ place, records, bytes: size, time }) => (
          <p key={place}>
            {`${count(records)} records of its tree in the archive `}
            <bdi>{place === "" ? "of the data" : visibleLine(place)}</bdi>
            <span className="quiet">{`, ${bytes(size)}, since ${dayTime(time)}`}</span>
          </p>
        ))}
        <p className="mono quiet">{id}</p>
      </Block>
    </Scrolls>
  );
}

function childrenOf(fleet: Fleet, agent: number): number[] {
  const children: number[] = [];
  for (let child = at(fleet.firstChild, agent); child >= 0; child = at(fleet.nextSibling, child)) children.push(child);
  return children;
}
