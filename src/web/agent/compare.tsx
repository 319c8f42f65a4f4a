/** Two restore points of an agent compared, or one with now. */
import { useEffect, useId, useState } from "react";
import type { CheckpointDiffRow, CheckpointRow } from "../../server/contract/checkpoint.ts";
import { ask, wordsOf } from "../api/operations.ts";
import { clockTime, visibleLine } from "../parts/format.ts";
import { Difference } from "./difference.tsx";

const NONE = 0;

export function Compare({ id, rows }: { id: string; rows: readonly CheckpointRow[] }) {
  const [fromId, toId] = [useId(), useId()];
  const [from, setFrom] = useState(NONE);
  /** None: now. */
  const [to, setTo] = useState(NONE);
  const [diff, setDiff] = useState<CheckpointDiffRow>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    setDiff(undefined);
    setProblem("");
    if (from === NONE) return;
    const gone = new AbortController();
    ask("diffCheckpoints", { agent: id, from, ...(to !== NONE && { to }) }, gone.signal).then(
      setDiff,
      (error: unknown) => !gone.signal.aborted && setProblem(wordsOf(error)),
    );
    return () => gone.abort();
  }, [id, from, to]);
  const points = [...new Map(rows.map((row) => [row.seq, row])).values()].sort((a, b) => a.seq - b.seq);
  const choices = (some: readonly CheckpointRow[]) =>
    some.map(({ seq, name, time }) => (
      <option key={seq} value={seq}>
        {name === null ? `event ${seq}, ${clockTime(time)}` : `${visibleLine(name)}, event ${seq}`}
      </option>
    ));
  return (
    <section className="compare" aria-label="Compare two restore points">
      <div>
        <label htmlFor={fromId}>Compare</label>
        <select
          id={fromId}
          className="field"
          value={from}
          onChange={({ target }) => {
            const chosen = Number(target.value);
            setFrom(chosen);
            if (to <= chosen) setTo(NONE);
          }}
        >
          <option value={NONE}>nothing</option>
          {choices(points)}
        </select>
        <label htmlFor={toId}>with</label>
        <select
          id={toId}
          className="field"
          value={to}
          disabled={from === NONE}
          onChange={({ target }) => setTo(Number(target.value))}
        >
          <option value={NONE}>now</option>
          {choices(points.filter(({ seq }) => seq > from))}
        </select>
      </div>
      <div aria-live="polite">
        {problem !== "" && <p className="refusal">{problem}</p>}
        {from !== NONE && !diff && problem === "" && <p className="quiet">Comparing…</p>}
        {diff && <Difference diff={diff} />}
      </div>
    </section>
  );
}
