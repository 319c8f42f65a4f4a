/** What is to be said of each verb before it is done. */
import type { AgentDetail } from "../../server/contract/agent.ts";
import { visibleLine } from "../parts/format.ts";
import type { Doing } from "../shell/selection.ts";
import { TakenBack } from "./taken-back.tsx";

export interface Fields {
  readonly text: string;
  readonly reason: string;
  readonly name: string;
  /** All below too, where that is a choice; and calls in flight, when pausing. */
  readonly subtree: boolean;
  readonly interrupt: boolean;
  /** The files too, when rewinding or naming a checkpoint. */
  readonly files: boolean;
  readonly pin: boolean;
  readonly callId: string;
  readonly costUsd: string;
}

export const NO_FIELDS: Fields = {
  text: "",
  reason: "",
  name: "",
  subtree: false,
  interrupt: false,
  files: false,
  pin: false,
  callId: "",
  costUsd: "",
};

interface Given {
  readonly doing: Doing;
  readonly fields: Fields;
  readonly detail: AgentDetail | undefined;
  readonly onChange: (fields: Fields) => void;
}

export function FieldsOf({ doing, fields, detail, onChange }: Given) {
  const set = (change: Partial<Fields>) => onChange({ ...fields, ...change });
  const text = (label: string, field: "text" | "reason", required = false) => (
    <label>
      {label}
      <textarea
        className="field"
        required={required}
        value={fields[field]}
        onChange={(event) => set({ [field]: event.target.value })}
      />
    </label>
  );
  const choice = (label: string, field: "subtree" | "interrupt" | "files" | "pin") => (
    <label className="choice">
      <input type="checkbox" checked={fields[field]} onChange={(event) => set({ [field]: event.target.checked })} />
      {label}
    </label>
  );
  switch (doing.verb) {
    case "send":
      return text("Message", "text", true);
    case "pause":
      return (
        <>
          {choice("Stop calls in flight too", "interrupt")}
          {text("Why (it is kept in the journal)", "reason")}
        </>
      );
    case "cancel":
      return text("Why (it is kept in the journal)", "reason");
    case "interrupt":
      return choice("All below it too", "subtree");
    case "fork":
      return (
        <>
          <p>{doing.seq === undefined ? "From where it stands now." : `From event ${doing.seq}.`}</p>
          {choice("With its subtree", "subtree")}
          {text("What the fork is to do; without it goes on as the agent would", "text")}
        </>
      );
    case "rewind":
      if (!doing.seq) return <p>To before its first message.</p>;
      return <TakenBack agent={doing.agent} seq={doing.seq} files={fields.files} onFiles={(files) => set({ files })} />;
    case "checkpoint":
      return (
        <>
          <label>
            {doing.seq === undefined ? "Name of its newest event" : `Name of event ${doing.seq}`}
            <input
              className="field"
              required
              maxLength={256}
              value={fields.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          </label>
          {choice("Pin it: it is never forgotten", "pin")}
          {doing.seq === undefined && choice("Keep what stands in its folder now with it", "files")}
        </>
      );
    case "budget":
      return (
        <label>
          {`Dollars, for the whole subtree${detail?.budget?.costUsd === undefined ? "" : ` (now ${detail.budget.costUsd})`}`}
          <input
            className="field"
            type="number"
            min="0"
            step="any"
            required
            value={fields.costUsd}
            onChange={(event) => set({ costUsd: event.target.value })}
          />
        </label>
      );
    case "answer":
      return (
        <>
          {detail?.asks.map(({ callId, tool }, index) => (
            <label key={callId} className="choice">
              <input
                type="radio"
                name="call"
                checked={callId === (fields.callId || doing.callId || detail.asks[0]?.callId)}
                onChange={() => set({ callId })}
              />
              <bdi>{`${visibleLine(tool)}, call ${index + 1}`}</bdi>
            </label>
          ))}
          {detail?.asks.length === 0 && <p>Nothing waits for an answer any more.</p>}
          {text("What to tell the agent when it is refused", "reason")}
        </>
      );
    default:
      return null;
  }
}
