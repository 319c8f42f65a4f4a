/** One agent as a row. Closed, it speaks for all below it: how many, in which states, what they cost, and the worst of them. */
import { memo } from "react";
import { burnUsdPerMinute } from "../../fleet/burn.ts";
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { PROBLEMS, URGENT } from "../../fleet/problems.ts";
import { count, duration, usd, visibleLine } from "../parts/format.ts";
import { Icon } from "../parts/icons.tsx";
import { MixBar } from "../parts/mix.tsx";
import { Name } from "../parts/names.tsx";
import { faceOf, problemFace, State, StateIcon } from "../parts/state.tsx";

export const ROW_HEIGHT = 28;
const INDENT = 14;

export interface RowProps {
  readonly fleet: Fleet;
  readonly agent: number;
  /** Drawn again when it differs. */
  readonly version: number;
  /** Undefined for an agent without children. */
  readonly open: boolean | undefined;
  readonly selected: boolean;
  /** Shown for what stands below it, not for itself. */
  readonly dim: boolean;
  /** Levels above the top of what is shown. */
  readonly base: number;
  readonly onToggle: (agent: number) => void;
}

function RowCells({ fleet, agent, open, base, onToggle }: RowProps) {
  const { sums } = fleet;
  const own = at(fleet.problem, agent);
  const worst = sums.worstProblem(agent);
  const below = sums.troubled(agent) - (own > 0 ? 1 : 0);
  const face = faceOf(fleet, agent);
  const trouble = fleet.trouble[agent] ?? "";
  const burn = burnUsdPerMinute(at(sums.burn.nano, agent), fleet.timeMs - fleet.sinceMs);
  const agents = at(sums.agents, agent);
  const hasEnded = fleet.hasEnded(agent);
  return (
    <>
      <div role="gridcell" className="cell-name" style={{ paddingLeft: 8 + (at(fleet.level, agent) - base) * INDENT }}>
        {open === undefined ? (
          <span className="twig" />
        ) : (
          <button
            type="button"
            className="twig"
            tabIndex={-1}
            data-open={open}
            aria-label={open ? "close" : "open"}
            onClick={(event) => {
              event.stopPropagation();
              onToggle(agent);
            }}
          >
            <Icon name="right" size={12} />
          </button>
        )}
        <StateIcon shape={face.shape} />
        <Name text={fleet.name[agent] ?? ""} />
        {at(fleet.forkOf, agent) >= 0 && (
          <span className="fork-mark" title="a fork">
            <Icon name="fork" size={12} />
            <span className="unseen">fork</span>
          </span>
        )}
        {open === false && below > 0 && (
          <span
            className="worst"
            title={`${count(below)} below with a problem; the worst: ${problemFace(PROBLEMS[worst] ?? "none").word}`}
          >
            <StateIcon shape={problemFace(PROBLEMS[worst] ?? "none").shape} size={12} />
            {count(below)}
          </span>
        )}
        {trouble !== "" && own > 0 && <bdi className="trouble">{visibleLine(trouble)}</bdi>}
      </div>
      <div role="gridcell" className="cell-state" data-urgent={own >= URGENT}>
        <State face={face} />
      </div>
      <div role="gridcell" className="cell-mix">
        {agents > 1 && (
          <>
            <MixBar fleet={fleet} agent={agent} />
            <span className="figure">{count(agents)}</span>
          </>
        )}
      </div>
      <div role="gridcell" className="figure cell-total">
        {usd(fleet.subtreeUsd(agent))}
      </div>
      <div role="gridcell" className="figure quiet cell-own">
        {usd(fleet.costUsd(agent))}
      </div>
      <div role="gridcell" className="figure quiet cell-burn">
        {burn === undefined ? "·" : burn === 0 ? "–" : usd(burn)}
      </div>
      <div role="gridcell" className="figure quiet cell-turns">
        {count(at(fleet.turns, agent))}
      </div>
      <div role="gridcell" className="figure quiet cell-last">
        {hasEnded ? "ended " : ""}
        {duration(fleet.timeMs - at(fleet.lastMs, agent))}
      </div>
    </>
  );
}

/** Columns are read when it is drawn: whatever they say, they say as of `version`. */
export const Row = memo(function Row(props: RowProps & { readonly index: number; readonly start: number }) {
  const { fleet, agent, open, selected, dim, index, start } = props;
  return (
    <div
      role="row"
      id={`row-${agent}`}
      className="row"
      data-agent={agent}
      data-dim={dim}
      aria-selected={selected}
      aria-rowindex={index + 2}
      aria-level={at(fleet.level, agent) - props.base + 1}
      {...(open !== undefined && { "aria-expanded": open })}
      style={{ transform: `translateY(${start}px)` }}
    >
      <RowCells {...props} />
    </div>
  );
});

/** The double of a row that stands above what is shown. The row itself is what is read out and what keys are about. */
export const StickyRow = memo(function StickyRow(props: RowProps & { readonly gap: boolean }) {
  return (
    <div className="row sticky" data-agent={props.agent} data-gap={props.gap}>
      <RowCells {...props} />
    </div>
  );
});
