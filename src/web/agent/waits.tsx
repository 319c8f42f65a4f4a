/** Who waits for whom: what the agent waits for, who waits for it, and whom it hears from. */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { AgentDetail } from "../../server/contract/agent.ts";
import { clockTime, plural, visibleLine } from "../parts/format.ts";
import { faceOf, State } from "../parts/state.tsx";
import { useSelection } from "../shell/selection.ts";
import { AgentLink, Block, ChildList } from "./blocks.tsx";
import { type Conversation, heardFrom } from "./conversation.ts";

/** Agents that it hears from, the newest first. */
const PEERS_MAX = 20;

interface Given {
  readonly fleet: Fleet;
  readonly agent: number;
  readonly detail: AgentDetail;
  /** Children that have not ended. */
  readonly lives: readonly number[];
  readonly conversation: Conversation;
}

export function Waits({ fleet, agent, detail, lives, conversation }: Given) {
  const { begin } = useSelection();
  const { id, asks, heldBy, processes } = detail;
  const waiting = fleet.waiting[agent] ?? "";
  const above = at(fleet.parent, agent);
  const isWaitedFor = above >= 0 && fleet.waiting[above] === "children" && !fleet.hasEnded(agent);
  const peers = heardFrom(conversation).slice(0, PEERS_MAX);
  const running = processes.filter(({ phase }) => phase !== "ended");
  return (
    <>
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
          {waiting === "children" && (
            <>
              <p>{`${plural(lives.length, "child", "children")} to end`}</p>
              <ChildList fleet={fleet} agents={lives} />
            </>
          )}
          {waiting === "message" && <p>a message, from whomever it comes</p>}
          {waiting === "process" && (
            <p>
              {"its processes: "}
              <bdi>{running.map(({ name }) => visibleLine(name)).join(", ")}</bdi>
            </p>
          )}
          {waiting === "rateLimit" && <State face={faceOf(fleet, agent)} />}
        </Block>
      )}
      {isWaitedFor && (
        <Block title="Waited for by">
          <p>
            <AgentLink fleet={fleet} id={fleet.id[above] ?? ""} />
            <span className="quiet"> which goes on when its children have ended</span>
          </p>
        </Block>
      )}
      {peers.length > 0 && (
        <Block title="Hears from">
          {peers.map(({ agent: peer, messages, time }) => (
            <p key={peer}>
              <AgentLink fleet={fleet} id={peer} />
              <span className="quiet">{` ${plural(messages, "message")}, the newest at ${clockTime(time)}`}</span>
            </p>
          ))}
        </Block>
      )}
    </>
  );
}
