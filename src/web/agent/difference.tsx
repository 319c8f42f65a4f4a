/** What happened to an agent between two of its restore points: counted, then told. */
import type { CheckpointDiffRow } from "../../server/contract/checkpoint.ts";
import { bytes, count, duration, plural, short, usd, visible, visibleLine } from "../parts/format.ts";

type Files = NonNullable<CheckpointDiffRow["files"]>;

export function Difference({ diff }: { diff: CheckpointDiffRow }) {
  const { turns, usage, costUsd, messages, left, tools, spawned, ended, artifacts, processes, files, filesLeft } = diff;
  const tokensIn = usage.input + usage.cacheRead + usage.cacheWrite;
  return (
    <div className="difference">
      <p>
        {`${plural(diff.events, "event")} in ${duration(diff.elapsedMs)}: ${plural(turns, "turn")}, ${usd(costUsd)}, ${short(tokensIn)} tokens in, ${short(usage.output)} out`}
      </p>
      {diff.rewoundTo.map((seq) => (
        <p key={seq} className="quiet">{`it went back to event ${seq}`}</p>
      ))}
      <Told
        title="Tools"
        lines={tools.map(
          ({ name, calls, failed }) =>
            `${visibleLine(name)}: ${plural(calls, "call")}${failed > 0 ? `, ${count(failed)} failed` : ""}`,
        )}
      />
      <Told
        title="Children"
        lines={[
          ...spawned.map(({ name }) => `${visibleLine(name)} was spawned`),
          ...ended.map((child) => `${nameOf(spawned, child.agent)} ${child.status}, ${usd(child.costUsd)}`),
        ]}
      />
      <Told
        title="Artifacts"
        lines={artifacts.map(({ name, bytes: size }) => `${visibleLine(name)}, ${bytes(size)}`)}
      />
      <Told title="Processes" lines={processes.map((name) => `${visibleLine(name)} was started`)} />
      {files === null ? (
        <p className="quiet">Its files were not kept at both points.</p>
      ) : (
        <FileList title="Files" files={files} left={filesLeft} words={BECAME} />
      )}
      {messages.length > 0 && (
        <section>
          <h3>Said and heard</h3>
          {messages.map(({ seq, role, text }) => (
            <p key={`${seq} ${role}`} className="text">
              <span className="quiet">{`${seq} ${role === "assistant" ? "agent" : "to it"}: `}</span>
              <bdi>{visible(text)}</bdi>
            </p>
          ))}
          {left > 0 && <p className="quiet">{`and ${count(left)} more`}</p>}
        </section>
      )}
    </div>
  );
}

/** What became of each file, or what is to become of it. */
type FileWords = Readonly<Record<Files[number]["change"], string>>;
const BECAME: FileWords = { added: "added", changed: "changed", removed: "removed" };

interface FilesGiven {
  readonly title: string;
  readonly files: Files;
  readonly left: number;
  readonly words: FileWords;
}

export function FileList({ title, files, left, words }: FilesGiven) {
  if (files.length === 0) return null;
  return (
    <section>
      <h3>{`${title}: ${count(files.length + left)}`}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keys */}
      <ul className="files" tabIndex={0} aria-label={title}>
        {files.map(({ path, change }) => (
          <li key={path}>
            <bdi className="mono">{visibleLine(path)}</bdi>
            <span>{words[change]}</span>
          </li>
        ))}
        {left > 0 && <li className="quiet">{`and ${count(left)} more`}</li>}
      </ul>
    </section>
  );
}

function Told({ title, lines }: { title: string; lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      {lines.map((line) => (
        <p key={line}>
          <bdi>{line}</bdi>
        </p>
      ))}
    </section>
  );
}

function nameOf(spawned: CheckpointDiffRow["spawned"], agent: string): string {
  return visibleLine(spawned.find((child) => child.agent === agent)?.name ?? agent);
}
