/** Restore points that stand out: named ones, those at which forks begin, those at which the agent came to rest. */
import { useEffect, useState } from "react";
import type { CheckpointRow } from "../../server/contract/checkpoint.ts";
import { ask, listAll, wordsOf } from "../api/operations.ts";
import { dayTime, plural, usd, visibleLine } from "../parts/format.ts";
import { Scrolls } from "../parts/scrolls.tsx";
import { useSelection } from "../shell/selection.ts";
import { Compare } from "./compare.tsx";

const KINDS = { named: "named", fork: "a fork begins here", status: "came to rest" } as const;

export function Checkpoints({ id, stamp }: { id: string; stamp: number }) {
  const { begin } = useSelection();
  const [rows, setRows] = useState<readonly CheckpointRow[]>();
  const [problem, setProblem] = useState("");
  const [changes, setChanges] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp, and what was done here, say that there may be new ones
  useEffect(() => {
    const gone = new AbortController();
    listAll("checkpoints", { agent: id }, gone.signal).then(
      (all) => {
        setRows(all);
        setProblem("");
      },
      (error: unknown) => !gone.signal.aborted && setProblem(wordsOf(error)),
    );
    return () => gone.abort();
  }, [id, stamp, changes]);
  const pin = async ({ seq, name, pinned }: CheckpointRow) => {
    try {
      await ask(pinned ? "unpinCheckpoint" : "pinCheckpoint", { agent: id, checkpoint: name ?? seq });
      setChanges((before) => before + 1);
    } catch (error) {
      setProblem(wordsOf(error));
    }
  };
  return (
    <Scrolls label="Checkpoints">
      <div className="list-head">
        <p className="quiet">
          Fork or rewind to any of these, or to any step of the transcript. A pinned one is never forgotten.
        </p>
        <button type="button" className="button" onClick={() => begin({ verb: "checkpoint", agent: id })}>
          Name a checkpoint…
        </button>
      </div>
      {problem !== "" && (
        <p className="refusal" role="alert">
          {problem}
        </p>
      )}
      {!rows && problem === "" && <p className="quiet none">Reading its checkpoints…</p>}
      {rows?.length === 0 && (
        <p className="quiet none">None stands out yet. Every step of the transcript is a restore point all the same.</p>
      )}
      {rows && rows.length > 0 && <Compare id={id} rows={rows} />}
      <ul className="points">
        {rows?.toReversed().map((row) => {
          const { seq, name, kind, status, time, turns, costUsd, pinned, cut } = row;
          const called = name === null ? KINDS[kind] : visibleLine(name);
          return (
            <li key={`${seq} ${name} ${kind}`} data-cut={cut}>
              <div>
                <b>{name === null ? called : <bdi>{called}</bdi>}</b>
                {pinned && <span className="tag">pinned</span>}
                {cut && <span className="tag">rewound away</span>}
                <p className="quiet">{`${dayTime(time)}, event ${seq}, ${status}, ${plural(turns, "turn")}, ${usd(costUsd)}`}</p>
              </div>
              <fieldset className="acts" aria-label={`${called}, event ${seq}`}>
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
                {name === null && (
                  <button
                    type="button"
                    className="button"
                    onClick={() => begin({ verb: "checkpoint", agent: id, seq })}
                  >
                    Name…
                  </button>
                )}
                <button type="button" className="button" onClick={() => void pin(row)}>
                  {pinned ? "Unpin" : "Pin"}
                </button>
              </fieldset>
            </li>
          );
        })}
      </ul>
    </Scrolls>
  );
}
