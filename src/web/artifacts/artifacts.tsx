/** Everything that agents made: by name, whose it is, how large; to download. */
import { useDeferredValue, useEffect, useMemo, useState } from "react";
import type { ArtifactRow } from "../../server/contract/agent.ts";
import { list, wordsOf } from "../api/operations.ts";
import { bytes, count, visibleLine } from "../parts/format.ts";
import { Icon } from "../parts/icons.tsx";
import { Scrolls } from "../parts/scrolls.tsx";
import { linkTo, type Place } from "../shell/place.ts";
import { copyLink } from "./copy-link.ts";
import { download } from "./download.ts";

/** The table holds so many; the search finds among all. */
const SHOWN_MAX = 300;

export function Artifacts({ place }: { place: Place }) {
  const [rows, setRows] = useState<readonly ArtifactRow[]>();
  const [problem, setProblem] = useState("");
  const [said, setSaid] = useState("");
  const [wanted, setWanted] = useState("");
  const sought = useDeferredValue(wanted.toLowerCase());
  useEffect(() => {
    const gone = new AbortController();
    const read = async () => {
      const all: ArtifactRow[] = [];
      for await (const some of list("artifacts", {}, gone.signal)) all.push(...some);
      setRows(all);
    };
    read().catch((error: unknown) => !gone.signal.aborted && setProblem(wordsOf(error)));
    return () => gone.abort();
  }, []);
  const found = useMemo(
    () => (rows ?? []).filter(({ name, path }) => `${path}/${name}`.toLowerCase().includes(sought)),
    [rows, sought],
  );
  const size = useMemo(() => (rows ?? []).reduce((sum, row) => sum + row.bytes, 0), [rows]);
  return (
    <section className="page" aria-label="Artifacts">
      <header>
        <h1>Artifacts</h1>
        <p className="quiet">{rows ? `${count(rows.length)}, ${bytes(size)} in all` : "…"}</p>
        <input
          className="field"
          type="search"
          aria-label="Search artifacts"
          placeholder="Search by name or agent"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
      </header>
      {problem !== "" && <p className="refusal">{problem}</p>}
      <p className="quiet" role="status">
        {said}
      </p>
      {rows?.length === 0 ? (
        <div className="empty">
          <p>No agent has made anything yet.</p>
        </div>
      ) : (
        <Scrolls label="List of artifacts">
          <table>
            <thead>
              <tr>
                <th>Name</th>
                <th>Agent</th>
                <th>Type</th>
                <th className="figure">Size</th>
                <th>
                  <span className="unseen">Download</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {found.slice(0, SHOWN_MAX).map(({ agent, name, path, mediaType, bytes: each }) => (
                <tr key={`${agent} ${name}`}>
                  <td>
                    <bdi>{visibleLine(name)}</bdi>
                  </td>
                  <td>
                    <a className="as-link" href={linkTo({ ...place, agent })}>
                      <bdi>{visibleLine(path)}</bdi>
                    </a>
                  </td>
                  <td className="quiet">{visibleLine(mediaType)}</td>
                  <td className="figure">{bytes(each)}</td>
                  <td className="figure">
                    <button
                      type="button"
                      className="button plain"
                      aria-label={`Copy a link to ${visibleLine(name)} that works for a day`}
                      title="Copy a link that works for a day"
                      onClick={() => {
                        copyLink({ agent, name })
                          .then((said) => setSaid(said))
                          .catch((error: unknown) => setProblem(wordsOf(error)));
                      }}
                    >
                      <Icon name="copy" size={14} />
                    </button>
                    <button
                      type="button"
                      className="button plain"
                      aria-label={`Download ${visibleLine(name)}`}
                      onClick={() => {
                        download({ agent, name, mediaType }).catch((error: unknown) => setProblem(wordsOf(error)));
                      }}
                    >
                      <Icon name="download" size={14} />
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {found.length > SHOWN_MAX && <p className="quiet">{`and ${count(found.length - SHOWN_MAX)} more`}</p>}
        </Scrolls>
      )}
    </section>
  );
}
