/** Which agent the keys are about, on every page that lists agents, and what is being done with one. */
import { createContext, useContext } from "react";

export type Verb =
  | "send"
  | "pause"
  | "resume"
  | "interrupt"
  | "cancel"
  | "fork"
  | "rewind"
  | "answer"
  | "budget"
  | "checkpoint";

export interface Doing {
  readonly verb: Verb;
  /** Id of the agent. */
  readonly agent: string;
  /** Restore point, for `fork`, `rewind` and `checkpoint`. */
  readonly seq?: number | undefined;
  /** The call, for `answer`. */
  readonly callId?: string | undefined;
}

export interface Selection {
  /** Ordinal; -1 for none. */
  readonly selected: number;
  select(agent: number): void;
  /** Shows the agent beside the page. */
  open(agent: number): void;
  /** Asks for what is needed, says what it touches, and does it. */
  begin(doing: Doing): void;
  /** Everything that can be done with the agent, as a menu at this place. */
  menu(agent: number, at: Element | null): void;
}

export const SelectionContext = createContext<Selection | undefined>(undefined);

export function useSelection(): Selection {
  const selection = useContext(SelectionContext);
  if (!selection) throw new Error("there is no selection above this component");
  return selection;
}
