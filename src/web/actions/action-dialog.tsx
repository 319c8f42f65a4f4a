/**
 * Asks before it does: what it will touch (how many agents, what they cost so far), what is to be said of it, and what came of it.
 *
 * D1  Nothing is sent before a person has seen what it touches, as it stands at that moment.
 * D2  A refusal is told in the dialog, which stays open; nothing is tried again by itself.
 */
import { Dialog } from "@base-ui/react/dialog";
import { useEffect, useState } from "react";
import { touched } from "../../fleet/touched.ts";
import type { AgentDetail } from "../../server/contract/agent.ts";
import { ask, wordsOf } from "../api/operations.ts";
import { count, usd, visibleLine } from "../parts/format.ts";
import { useLive } from "../shell/live.ts";
import type { Doing } from "../shell/selection.ts";
import { type Fields, FieldsOf, NO_FIELDS } from "./fields.tsx";
import { perform } from "./perform.ts";
import { VERBS } from "./verbs.ts";

interface Given {
  readonly doing: Doing;
  /** With a sentence when something was done. */
  readonly onEnd: (said?: string) => void;
}

export function ActionDialog({ doing, onEnd }: Given) {
  const { fleet } = useLive();
  const [fields, setFields] = useState<Fields>(NO_FIELDS);
  const [refusal, setRefusal] = useState("");
  const [busy, setBusy] = useState(false);
  const detail = useDetail(doing);
  const agent = fleet.ordinalOf(doing.agent);
  const words = VERBS[doing.verb];
  const name = visibleLine(fleet.name[agent] ?? doing.agent);
  const what = touched(fleet, agent, words.below || fields.subtree);
  const lacksCall = doing.verb === "answer" && (detail?.asks.length ?? 0) === 0;
  const submit = async (refuse: boolean) => {
    setBusy(true);
    setRefusal("");
    try {
      onEnd(await perform(doing, { ...fields, refuse }, name, detail));
    } catch (error) {
      setRefusal(wordsOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog.Root open onOpenChange={(next) => !next && !busy && onEnd()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog">
          <Dialog.Title>
            <bdi>{words.title(name)}</bdi>
          </Dialog.Title>
          <Dialog.Description>{words.says}</Dialog.Description>
          <dl className="touches">
            <Fact name="Agents" value={count(what.agents)} />
            <Fact name="Live" value={count(what.live)} />
            <Fact name="Running" value={count(what.running)} />
            <Fact name="Cost so far" value={usd(what.costUsd)} />
          </dl>
          <form
            id="doing"
            onSubmit={(event) => {
              event.preventDefault();
              void submit(false);
            }}
          >
            <FieldsOf doing={doing} fields={fields} detail={detail} onChange={setFields} />
          </form>
          {refusal !== "" && (
            <p className="refusal" role="alert">
              {refusal}
            </p>
          )}
          <div className="ends">
            <Dialog.Close className="button" disabled={busy}>
              Leave it
            </Dialog.Close>
            {doing.verb === "answer" && (
              <button type="button" className="button" disabled={busy || lacksCall} onClick={() => void submit(true)}>
                Refuse
              </button>
            )}
            <button
              type="submit"
              form="doing"
              className={words.ends ? "button danger" : "button first"}
              disabled={busy || lacksCall}
            >
              {words.button}
            </button>
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** What some verbs have to know beyond the columns. */
function useDetail({ agent, verb }: Doing): AgentDetail | undefined {
  const [detail, setDetail] = useState<AgentDetail>();
  useEffect(() => {
    if (verb !== "answer" && verb !== "budget") return;
    const gone = new AbortController();
    ask("agent", { agent }, gone.signal).then(setDetail, () => undefined);
    return () => gone.abort();
  }, [agent, verb]);
  return detail;
}
