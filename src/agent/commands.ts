/**
 * What can be wanted of an agent. A command is refused with a reason, or becomes events. What a decision needs from
 * outside the agent (is a hold above, what time is it) comes with the command, so that deciding stays pure.
 */
import type { AgentId } from "../base/ids.ts";
import type { Content } from "./content.ts";
import type { ArtifactReference, Budget, EventOf, Failure, Meta, Sender, ToolOutcome, WaitsFor } from "./events.ts";
import type { Usage } from "./usage.ts";

type Fields<Type> = Omit<Type, "type">;

export type Command =
  | ({ readonly do: "create" } & Fields<EventOf<"agent.created">>)
  | ({ readonly do: "fork" } & Fields<EventOf<"agent.forked">>)
  | {
      readonly do: "receive";
      readonly id: string;
      readonly from: Sender;
      readonly content: Content;
      readonly meta?: Meta | undefined;
    }
  | {
      readonly do: "startTurn";
      /** A hold on the agent or above it. */
      readonly covered: boolean;
      readonly reservedUsd: number;
      /** The newest event that the reservation counts: messages that came later wait for the next turn. All count when absent. */
      readonly readTo?: number;
    }
  | { readonly do: "withdrawTurn" }
  /** To no effect where no call is due now. */
  | { readonly do: "postponeTurn" }
  | ({ readonly do: "endTurn" } & Omit<Fields<EventOf<"turn.ended">>, "turn">)
  | {
      readonly do: "failTurn";
      readonly error: Failure;
      readonly retryable: boolean;
      readonly putOff: boolean;
      /** When to try again, ms since the epoch, should it be tried again. */
      readonly retryTime: number;
      readonly usage: Usage;
      readonly costUsd: number;
      readonly estimated?: boolean | undefined;
    }
  | { readonly do: "loseTurn" }
  | { readonly do: "startTool"; readonly callId: string; readonly waitsFor?: WaitsFor | undefined }
  | { readonly do: "askTool"; readonly callId: string; readonly question: string; readonly unrun?: boolean }
  | {
      readonly do: "answerTool";
      readonly callId: string;
      readonly decision: "rerun" | "report";
      readonly by: Sender;
      readonly reason?: string | undefined;
    }
  | {
      readonly do: "endTool";
      readonly callId: string;
      readonly outcome: ToolOutcome;
      readonly content: Content;
      readonly took?: readonly string[] | undefined;
      readonly meta?: Meta | undefined;
    }
  | { readonly do: "spawn"; readonly child: AgentId; readonly name: string; readonly callId?: string | undefined }
  | ({ readonly do: "endChild" } & Fields<EventOf<"child.ended">>)
  | { readonly do: "reviveChild"; readonly child: AgentId }
  | {
      readonly do: "writeArtifact";
      readonly artifact: ArtifactReference;
      readonly callId?: string | undefined;
      readonly by?: Sender | undefined;
    }
  | ({ readonly do: "startProcess" } & Fields<EventOf<"process.started">>)
  | ({ readonly do: "restartProcess" } & Fields<EventOf<"process.restarted">>)
  | ({
      readonly do: "endProcess";
      /** What the agent reads of it, when it is not started again. */
      readonly told?: Content | undefined;
      /** Its output may have a name: see `outputNameOf`. */
      readonly named?: boolean | undefined;
    } & Fields<EventOf<"process.ended">>)
  | {
      readonly do: "nameCheckpoint";
      readonly name: string;
      readonly at?: number | undefined;
      readonly pinned?: true | undefined;
      readonly by?: Sender | undefined;
    }
  | { readonly do: "pinCheckpoint"; readonly name: string; readonly pinned: boolean; readonly by: Sender }
  | { readonly do: "forgetCheckpoints"; readonly names: readonly string[]; readonly by: Sender }
  | { readonly do: "setBudget"; readonly budget: Budget; readonly by: Sender }
  | ({ readonly do: "linkArtifact" } & Fields<EventOf<"artifact.linked">>)
  | { readonly do: "interrupt"; readonly by: Sender; readonly subtree: boolean }
  | { readonly do: "hold"; readonly by: Sender; readonly reason: string }
  | { readonly do: "release"; readonly by: Sender }
  | ({ readonly do: "saveFiles" } & Fields<EventOf<"files.saved">>)
  | ({ readonly do: "endRestore" } & Fields<EventOf<"files.restored">>)
  | { readonly do: "rewind"; readonly to: number; readonly by: Sender; readonly tree?: string | undefined }
  | { readonly do: "revive"; readonly by: Sender }
  | { readonly do: "complete"; readonly output: Content }
  | { readonly do: "fail"; readonly error: Failure }
  | { readonly do: "cancel"; readonly by: Sender; readonly reason: string };
