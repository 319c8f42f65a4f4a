/** Restore points that stand out: named ones, those at which forks begin, those at which the agent came to rest. */
import { useEffect, useState } from "react";
import type { CheckpointRow } from "../../server/contract/checkpoint.ts";
import { listAll, wordsOf } from "../api/operations.ts";
import { count, dayTime, usd, visibleLine } from "../parts/format.ts";
import { Scrolls } from "../parts/scrolls.tsx";
import { useSelection } from "../shell/selection.ts";

const KINDS = { named: "named", fork: "a fork begins here", status: "came to rest" } as const;

export function Checkpoints({ id, stamp }: { id: string; stamp: number }) {
  const { begin } = useSelection();
  const [rows, setRows] = useState<readonly CheckpointRow[]>();
  const [problem, setProblem] = useState("");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says that there may be new ones
  useEffect(() => {
    const gone = new AbortController();
    listAll("checkpoints", { agent: id }, gone.signal).then(setRows, (error: unknown) => {
      if (!gone.signal.aborted) setProblem(wordsOf(error));
    });
    return () => gone.abort();
  }, [id, stamp]);
  return (
    <Scrolls label="Checkpoints">
      <div className="list-head">
        <p className="quiet">Fork or rewind to any of these, or to any step of the transcript.</p>
        <button type="button" className="button" onClick={() => begin({ verb: "checkpoint", agent: id })}>
          Name a checkpoint…
        </button>
      </div>
      {problem !== "" && <p className="refusal">{problem}</p>}
      {rows?.length === 0 && <p className="quiet none">There is none yet.</p>}
      <ul className="points">
        {rows?.toReversed().map(({ seq, name, kind, status, time, turns, costUsd, pinned, cut }) => (
          <li key={`${seq} ${name} ${kind}`} data-cut={cut}>
            <div>
              <b>{name === null ? KINDS[kind] : <bdi>{visibleLine(name)}</bdi>}</b>
              {pinned && <span className="quiet"> pinned</span>}
              {cut && <span className="quiet"> rewound away</span>}
              <p className="quiet">{`${dayTime(time)}, event ${seq}, ${status}, ${count(turns)} turns, ${usd(costUsd)}`}</p>
            </div>
            <button type="button" className="button" onClick={() => begin({ verb: "fork", agent: id, seq })}>
              Fork here…
            </button>
            <button
              type="button"
              className="button"
              disabled={cut}
              onClick={() => begin({ verb: "rewind", agent: id, seq })}
            >
              Rewind here…
            </button>
          </li>
        ))}
      </ul>
    </Scrolls>
  );
}
