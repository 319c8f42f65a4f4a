/** One agent that is in trouble: what is wrong, where it stands, since when, what it spends, and the one action that helps. */
import { burnUsdPerMinute } from "../../fleet/burn.ts";
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import type { Trouble } from "../../fleet/triage.ts";
import { Fact } from "../parts/fact.tsx";
import { count, duration, usd, visibleLine } from "../parts/format.ts";
import { Name, PathAbove } from "../parts/names.tsx";
import { problemFace, StateIcon } from "../parts/state.tsx";
import { useSelection, type Verb } from "../shell/selection.ts";

const HELPS: Readonly<Record<Trouble["problem"], { readonly verb: Verb; readonly word: string } | undefined>> = {
  none: undefined,
  approval: { verb: "answer", word: "Answer…" },
  failed: { verb: "send", word: "Try again…" },
  failedHandled: undefined,
  stalled: { verb: "interrupt", word: "Interrupt…" },
  rateLimited: { verb: "pause", word: "Pause…" },
  burning: { verb: "budget", word: "Raise budget…" },
};

interface Given {
  readonly fleet: Fleet;
  readonly trouble: Trouble;
  readonly chosen: boolean;
}

export function TroubleRow({ fleet, trouble: { agent, problem, sinceMs, burnNano }, chosen }: Given) {
  const { select, open, begin, menu } = useSelection();
  const face = problemFace(problem);
  const helps = HELPS[problem];
  const words = fleet.trouble[agent] ?? "";
  const burn = burnUsdPerMinute(burnNano, fleet.timeMs - fleet.sinceMs);
  const agents = at(fleet.sums.agents, agent);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the page do the same
    <li
      className="trouble-row"
      data-agent={agent}
      data-problem={problem}
      {...(chosen && { "aria-current": "true" as const })}
      onClick={() => {
        select(agent);
        open(agent);
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        select(agent);
        menu(agent, event.currentTarget);
      }}
    >
      <span className="badge state" data-state={face.shape}>
        <StateIcon shape={face.shape} size={16} />
      </span>
      <div className="what">
        <div className="who">
          <PathAbove fleet={fleet} agent={agent} />
          <Name text={fleet.name[agent] ?? ""} />
        </div>
        <div className="why">
          <span className="state" data-state={face.shape}>
            {face.word}
          </span>
          {words !== "" && <bdi className="words">{visibleLine(words)}</bdi>}
        </div>
      </div>
      <dl>
        <Fact name="for" value={duration(fleet.timeMs - sinceMs)} />
        <Fact name="last event" value={duration(fleet.timeMs - at(fleet.lastMs, agent))} />
        <Fact name="subtree" value={agents === 1 ? "alone" : count(agents)} />
        <Fact name="cost" value={usd(fleet.subtreeUsd(agent))} />
        <Fact name="$ / min" value={burn === undefined ? "·" : burn === 0 ? "–" : usd(burn)} />
      </dl>
      <button
        type="button"
        className="button"
        onClick={(event) => {
          event.stopPropagation();
          select(agent);
          const id = fleet.id[agent];
          if (helps && id !== undefined) begin({ verb: helps.verb, agent: id });
          else open(agent);
        }}
      >
        {helps?.word ?? "Open"}
      </button>
    </li>
  );
}
