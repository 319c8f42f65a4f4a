/** The conversation, newest at the end: streamed, searchable, calls folded with their results, forks and rewinds at every step. */
import { memo, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Fleet } from "../../fleet/fleet.ts";
import type { AgentDetail, TranscriptEntry } from "../../server/contract/agent.ts";
import { clockTime, count, visibleLine } from "../parts/format.ts";
import { useLiveQuietly } from "../shell/live.ts";
import { useSelection } from "../shell/selection.ts";
import { Call, Text } from "./call.tsx";
import { type Conversation, resultsOf, says } from "./conversation.ts";

/** The newest so many; earlier ones when they are asked for. */
const STEP = 120;

interface Given {
  readonly id: string;
  readonly conversation: Conversation;
  /** Undefined until it has been read. */
  readonly detail: AgentDetail | undefined;
}

export function Transcript({ id, conversation, detail }: Given) {
  const { entries } = conversation;
  const [wanted, setWanted] = useState("");
  const [shown, setShown] = useState(STEP);
  const end = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const results = useMemo(() => resultsOf(entries), [entries]);
  const found = useMemo(() => {
    const spoken = entries.filter((entry) => entry.role !== "tools");
    return wanted === "" ? spoken : spoken.filter((entry) => says(entry, results, wanted.toLowerCase()));
  }, [entries, results, wanted]);
  const newest = found.slice(-shown);
  const asks = (detail?.asks ?? []).map(({ callId }) => callId).join(" ");
  useEffect(() => {
    const list = end.current?.parentElement;
    if (!list) return;
    const onScroll = () => {
      atEnd.current = list.scrollTop + list.clientHeight > list.scrollHeight - 40;
    };
    list.addEventListener("scroll", onScroll, { passive: true });
    return () => list.removeEventListener("scroll", onScroll);
  }, []);
  // Whoever reads at the end goes on reading at the end.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it follows what is said
  useLayoutEffect(() => {
    if (atEnd.current) end.current?.scrollIntoView({ block: "end" });
  }, [entries]);
  return (
    <>
      <div className="search">
        <input
          className="field"
          type="search"
          aria-label="Search the transcript"
          placeholder="Search the transcript"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        <span className="quiet" role="status">
          {wanted === "" ? `${count(found.length)} steps` : `${count(found.length)} found`}
        </span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keys */}
      <div className="steps" tabIndex={0} role="log" aria-label="Transcript">
        {found.length > shown && (
          <button type="button" className="button earlier" onClick={() => setShown(shown + STEP)}>
            {`Show earlier ones (${count(found.length - shown)})`}
          </button>
        )}
        {detail && found.length === 0 && (
          <p className="quiet none">
            {wanted === "" ? "It has neither heard nor said anything." : "Nothing is found."}
          </p>
        )}
        {newest.map((entry, index) => (
          <Step
            // biome-ignore lint/suspicious/noArrayIndexKey: steps are added at the end alone
            key={found.length - newest.length + index}
            id={id}
            entry={entry}
            results={results}
            asks={asks}
            open={wanted !== ""}
          />
        ))}
        <div ref={end} />
      </div>
    </>
  );
}

interface StepGiven {
  readonly id: string;
  readonly entry: TranscriptEntry;
  readonly results: ReturnType<typeof resultsOf>;
  /** Calls that wait for a person, with spaces between. */
  readonly asks: string;
  readonly open: boolean;
}

const Step = memo(
  function Step({ id, entry, results, asks, open }: StepGiven) {
    const { begin } = useSelection();
    const { fleet } = useLiveQuietly();
    if (entry.role === "tools") return null;
    return (
      <section className="step" data-role={entry.role}>
        <header>
          <b>{entry.role === "assistant" ? "agent" : speaker(fleet, entry)}</b>
          <time dateTime={new Date(entry.time).toISOString()}>{clockTime(entry.time)}</time>
          {entry.role === "assistant" && entry.interrupted && <span className="cut">interrupted</span>}
          {entry.role === "user" && entry.report !== undefined && <span className="quiet">{entry.report}</span>}
          <span className="here">
            <button type="button" onClick={() => begin({ verb: "fork", agent: id, seq: entry.seq })}>
              fork here
            </button>
            <button type="button" onClick={() => begin({ verb: "rewind", agent: id, seq: entry.seq })}>
              rewind here
            </button>
          </span>
        </header>
        {entry.role === "user" ? (
          <Text text={entry.text} />
        ) : (
          entry.parts.map((part, index) => {
            const key = `${part.type} ${index}`;
            if (part.type === "toolCall")
              return (
                <Call
                  key={key}
                  call={part}
                  result={results.get(part.callId)}
                  asks={asks.split(" ").includes(part.callId)}
                  open={open}
                />
              );
            if (part.type === "text") return <Text key={key} text={part.text} />;
            return (
              <details key={key} className="reasoning">
                <summary>reasoning</summary>
                <Text text={part.text} />
              </details>
            );
          })
        )}
      </section>
    );
  },
  (before, after) =>
    before.entry === after.entry &&
    before.open === after.open &&
    before.asks === after.asks &&
    before.id === after.id &&
    callsOf(before.entry).every((callId) => before.results.get(callId) === after.results.get(callId)),
);

function callsOf(entry: TranscriptEntry): string[] {
  if (entry.role !== "assistant") return [];
  return entry.parts.flatMap((part) => (part.type === "toolCall" ? [part.callId] : []));
}

function speaker(fleet: Fleet, { from }: Extract<TranscriptEntry, { role: "user" }>): string {
  const known = from.kind === "agent" && from.id !== undefined ? fleet.name[fleet.ordinalOf(from.id)] : undefined;
  const name = visibleLine(known ?? from.name ?? from.id ?? "");
  if (from.kind === "person") return name === "" ? "person" : `${name} (person)`;
  return name === "" ? from.kind : name;
}
