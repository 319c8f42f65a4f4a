/**
 * What a rewind takes back, before it does: what was said, who is cancelled, and, where files were kept, what becomes of each of them.
 *
 * D3  Files go back only when a person has seen which, and has chosen it.
 */
import { useEffect, useState } from "react";
import type { CheckpointDetail, CheckpointDiffRow } from "../../server/contract/checkpoint.ts";
import { FileList } from "../agent/difference.tsx";
import { ask, wordsOf } from "../api/operations.ts";
import { plural, usd, visibleLine } from "../parts/format.ts";

interface Known {
  readonly point: CheckpointDetail;
  readonly since: CheckpointDiffRow;
}

interface Given {
  readonly agent: string;
  readonly seq: number;
  readonly files: boolean;
  readonly onFiles: (files: boolean) => void;
}

export function TakenBack({ agent, seq, files, onFiles }: Given) {
  const [known, setKnown] = useState<Known>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const gone = new AbortController();
    Promise.all([
      ask("showCheckpoint", { agent, checkpoint: seq }, gone.signal),
      ask("diffCheckpoints", { agent, from: seq }, gone.signal),
    ]).then(
      ([point, since]) => setKnown({ point, since }),
      (error: unknown) => !gone.signal.aborted && setProblem(wordsOf(error)),
    );
    return () => gone.abort();
  }, [agent, seq]);
  if (problem !== "") return <p className="refusal">{problem}</p>;
  if (!known) return <p className="quiet">{`To event ${seq}. Looking at what has happened since…`}</p>;
  const { point, since } = known;
  return (
    <>
      <p>{`To event ${seq}. ${wordsFor(since)}`}</p>
      {point.tree === null ? (
        <p className="quiet">No files were kept there: those in its folder stay as they are.</p>
      ) : (
        <fieldset>
          <legend>What goes back</legend>
          <label className="choice">
            <input type="radio" name="files" checked={!files} onChange={() => onFiles(false)} />
            The messages only: files stay as they are
          </label>
          <label className="choice">
            <input type="radio" name="files" checked={files} onChange={() => onFiles(true)} />
            The messages and the files in its folder
          </label>
          {files && <FilesBack since={since} />}
        </fieldset>
      )}
    </>
  );
}

const BECOMES = { added: "is removed", changed: "is put back", removed: "is made again" } as const;

function FilesBack({ since: { files, filesLeft } }: { since: CheckpointDiffRow }) {
  return (
    <>
      {files?.length ? (
        <FileList title="Files that go back" files={files} left={filesLeft} words={BECOMES} />
      ) : (
        <p>No file is known to have changed since.</p>
      )}
      <p className="quiet">
        What stands in the folder now is kept first. What has changed since files were last kept goes back too.
      </p>
    </>
  );
}

function wordsFor({ turns, messages, left, spawned, ended, costUsd }: CheckpointDiffRow): string {
  const live = spawned.filter(({ agent }) => !ended.some((child) => child.agent === agent));
  const names = live.slice(0, 5).map(({ name }) => visibleLine(name));
  const more = live.length > names.length ? ` and ${live.length - names.length} more` : "";
  const children =
    live.length === 0 ? "" : ` ${plural(live.length, "child", "children")} spawned since: ${names.join(", ")}${more}.`;
  const said = messages.length + left;
  if (turns === 0 && said === 0 && children === "") return "Nothing was said since.";
  return `It takes back ${plural(said, "message")} and ${plural(turns, "turn")}; the ${usd(costUsd)} that they cost stay spent.${children === "" ? "" : ` It cancels${children}`}`;
}
