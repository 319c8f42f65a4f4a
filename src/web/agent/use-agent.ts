/** An open agent: its detail, its conversation and its spending, read again when the feed says that the agent has changed. */
import { useEffect, useRef, useState } from "react";
import { at } from "../../fleet/columns.ts";
import type { AgentDetail } from "../../server/contract/agent.ts";
import { ask, listAll, wordsOf } from "../api/operations.ts";
import { pageClock } from "../browser.ts";
import { useLive } from "../shell/live.ts";
import { type Conversation, grow, NO_CONVERSATION, type Spent, spendingOf } from "./conversation.ts";

/** An agent that changes all the time is read so often. */
const READ_MS_MIN = 400;

export interface OpenAgent {
  readonly detail: AgentDetail | undefined;
  readonly conversation: Conversation;
  readonly spending: readonly Spent[];
  readonly problem: string;
}

export function useAgent(id: string): OpenAgent {
  const { fleet } = useLive();
  const ordinal = fleet.ordinalOf(id);
  // Whatever changes of the agent, its newest event does; a hold from above is no event of its own.
  const stamp =
    ordinal < 0 ? "" : `${at(fleet.lastMs, ordinal)} ${at(fleet.turns, ordinal)} ${at(fleet.status, ordinal)}`;
  const [agent, setAgent] = useState<OpenAgent>({
    detail: undefined,
    conversation: NO_CONVERSATION,
    spending: [],
    problem: "",
  });
  const known = useRef({ conversation: NO_CONVERSATION, spending: [] as Spent[], position: 0, id: "" });
  const busy = useRef(false);
  const again = useRef(false);
  const latest = useRef(id);
  latest.current = id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the stamp says that there is something new to read
  useEffect(() => {
    const read = async () => {
      if (busy.current) {
        again.current = true;
        return;
      }
      busy.current = true;
      try {
        const next = await readAgent(id, known.current.id === id ? known.current : undefined);
        if (latest.current !== id) return;
        known.current = { ...next, id };
        setAgent({ detail: next.detail, conversation: next.conversation, spending: next.spending, problem: "" });
      } catch (error) {
        if (latest.current === id) setAgent((before) => ({ ...before, problem: wordsOf(error) }));
      } finally {
        pageClock.timer(READ_MS_MIN, () => {
          busy.current = false;
          if (!again.current) return;
          again.current = false;
          void read();
        });
      }
    };
    void read();
  }, [id, stamp]);
  return agent;
}

interface Known {
  readonly conversation: Conversation;
  readonly spending: Spent[];
  /** Events up to here are in it. */
  readonly position: number;
}

async function readAgent(agent: string, known: Known | undefined): Promise<Known & { readonly detail: AgentDetail }> {
  const [detail, events] = await Promise.all([
    ask("agent", { agent }),
    listAll("logs", { agent, ...(known && known.position > 0 && { from: known.position }) }),
  ]);
  const position = events.at(-1)?.position ?? known?.position ?? 0;
  const spending = [...(known?.spending ?? []), ...spendingOf(events)];
  const grown = grow(known?.conversation ?? NO_CONVERSATION, events);
  if (!grown.stale) return { detail, conversation: grown, spending, position };
  // Messages that it has not read are in no conversation: they are known from their events.
  const entries = await listAll("messages", { agent });
  // Some of them may be newer than the events that were read before them.
  const conversation = { entries, inbox: unread(grown, detail), upTo: entries.at(-1)?.seq ?? 0, stale: false };
  return { detail, conversation, spending, position };
}

function unread(grown: Conversation, detail: AgentDetail): Conversation["inbox"] {
  return detail.unread === 0 ? new Map() : new Map([...grown.inbox].slice(-detail.unread));
}
