/** What lies under the pointer: who it is and whose, its state in shape and word, what it cost, how old it is, and how many are drawn as one. */
import { useLayoutEffect, useRef } from "react";
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { Moment } from "../../fleet/time/past.ts";
import type { Track } from "../../fleet/time/tracks.ts";
import { count, plural, usd, visibleLine } from "../parts/format.ts";
import { Name, PathAbove } from "../parts/names.tsx";
import { State } from "../parts/state.tsx";
import type { Spot } from "./stage.ts";
import { age, beforeOf, belowThen, costThen, faceThen, originOf, rewindsOf } from "./words.ts";

interface Given {
  readonly fleet: Fleet;
  readonly spot: Spot;
  /** Pixels of the picture. */
  readonly x: number;
  readonly y: number;
  readonly moment: Moment | undefined;
  readonly track: Track | undefined;
  /** The moment under the pointer; undefined by cost. */
  readonly atMs: number | undefined;
}

const AWAY_PX = 14;

export function Hint({ fleet, spot, x, y, moment, track, atMs }: Given) {
  const card = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = card.current;
    const room = element?.parentElement;
    if (!element || !room) return;
    const { offsetWidth: width, offsetHeight: height } = element;
    const left = x + AWAY_PX + width > room.clientWidth ? x - AWAY_PX - width : x + AWAY_PX;
    const top = y + AWAY_PX + height > room.clientHeight ? y - AWAY_PX - height : y + AWAY_PX;
    element.style.transform = `translate(${Math.round(Math.max(4, left))}px, ${Math.round(Math.max(4, top))}px)`;
  });
  const { agent, agents } = spot;
  const below = belowThen(fleet, agent, moment);
  const cost = costThen(fleet, agent, moment);
  const origin = originOf(fleet, agent);
  const rewinds = rewindsOf(track, moment);
  const before = agents === 1 ? beforeOf(track, atMs, moment) : undefined;
  const trouble = visibleLine(fleet.trouble[agent] ?? "");
  return (
    <div ref={card} className="hint" aria-hidden="true">
      {at(fleet.parent, agent) >= 0 && (
        <p className="above">
          <PathAbove fleet={fleet} agent={agent} />
        </p>
      )}
      <p className="who">
        <Name text={fleet.name[agent] ?? ""} />
        <State face={faceThen(fleet, agent, moment)} />
      </p>
      {trouble !== "" && !moment && <p className="trouble">{trouble}</p>}
      <dl>
        {cost !== undefined && (
          <div>
            <dt>{below > 0 ? "With all below" : "Cost"}</dt>
            <dd>{usd(cost)}</dd>
          </div>
        )}
        <div>
          <dt>Age</dt>
          <dd>{age(fleet, agent, moment?.atMs ?? fleet.timeMs)}</dd>
        </div>
        <div>
          <dt>Below</dt>
          <dd>{count(below)}</dd>
        </div>
      </dl>
      {origin !== undefined && <p className="quiet">{`Forked from ${origin}.`}</p>}
      {before !== undefined && <p>{before}</p>}
      {rewinds !== undefined && <p className="quiet">{`It was ${rewinds}: what that took back is hatched.`}</p>}
      {agents > 1 && (
        <p className="quiet">{`The worst of ${plural(agents, "agent")} here. Come closer to see them.`}</p>
      )}
    </div>
  );
}
