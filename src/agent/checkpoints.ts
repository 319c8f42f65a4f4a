/**
 * Checkpoints in an agent's journal: what is decided about them, and what the events fold to.
 *
 * P1  A name stands for one restore point of the agent; given again, it moves, and keeps its pin.
 * P2  A pinned checkpoint is never forgotten, and a rewind to before it leaves it: a fork can begin there still.
 * P3  An agent that has ended can have its checkpoints named, pinned and forgotten like any other.
 */
import { LIMITS } from "../base/limits.ts";
import type { Command } from "./commands.ts";
import type { EventOf } from "./events.ts";
import { type Decision, isLabel, refuse } from "./refusal.ts";
import type { NamedCheckpoint, State } from "./state.ts";

type CommandOf<Verb extends Command["do"]> = Extract<Command, { do: Verb }>;

export type CheckpointCommand = CommandOf<"nameCheckpoint" | "pinCheckpoint" | "forgetCheckpoints">;
export type CheckpointEvent = EventOf<
  "checkpoint.named" | "checkpoint.pinned" | "checkpoint.unpinned" | "checkpoint.forgotten"
>;

const VERBS: ReadonlySet<Command["do"]> = new Set(["nameCheckpoint", "pinCheckpoint", "forgetCheckpoints"]);

export function isCheckpointCommand(command: Command): command is CheckpointCommand {
  return VERBS.has(command.do);
}

export function decideCheckpoint(state: State, command: CheckpointCommand): Decision {
  switch (command.do) {
    case "nameCheckpoint":
      return nameCheckpoint(state, command);
    case "pinCheckpoint": {
      const { name, pinned, by } = command;
      const found = state.checkpoints.find((checkpoint) => checkpoint.name === name);
      if (!found) return refuse("CHECKPOINT_NOT_FOUND", `it has no checkpoint ${JSON.stringify(name)}`);
      if ((found.pinned ?? false) === pinned) return [];
      return [{ type: pinned ? "checkpoint.pinned" : "checkpoint.unpinned", name, by }];
    }
    case "forgetCheckpoints": {
      // P2. What is not there is forgotten already.
      const wanted = new Set(command.names);
      const names = state.checkpoints.flatMap(({ name, pinned }) => (wanted.has(name) && !pinned ? [name] : []));
      return names.length > 0 ? [{ type: "checkpoint.forgotten", names, by: command.by }] : [];
    }
  }
}

function nameCheckpoint(state: State, { name, at, pinned, by }: CommandOf<"nameCheckpoint">): Decision {
  const place = at ?? state.head.seq;
  if (place > state.head.seq || place < 1) return refuse("CHECKPOINT_NOT_FOUND", `it has no event ${place}`);
  if (!isLabel(name)) return refuse("NAME_INVALID", "a checkpoint's name has 1 to 256 characters");
  // A whole number is an event's sequence wherever a restore point is asked for.
  if (/^\d+$/.test(name)) return refuse("NAME_INVALID", "a checkpoint's name is not a number alone");
  const known = state.checkpoints.some((checkpoint) => checkpoint.name === name);
  if (!known && state.checkpoints.length >= LIMITS.checkpointsMax) {
    return refuse("CONTENT_TOO_LARGE", `it has ${state.checkpoints.length} named checkpoints; forget some`);
  }
  return [{ type: "checkpoint.named", name, at: place, ...(pinned && { pinned }), ...(by && { by }) }];
}

export function checkpointChanged(state: State, event: CheckpointEvent, time: number): State {
  return { ...state, checkpoints: changed(state.checkpoints, event, time) };
}

function changed(
  checkpoints: readonly NamedCheckpoint[],
  event: CheckpointEvent,
  time: number,
): readonly NamedCheckpoint[] {
  switch (event.type) {
    case "checkpoint.named": {
      const { name, at } = event;
      const before = checkpoints.find((each) => each.name === name);
      const others = checkpoints.filter((each) => each !== before);
      const pinned = event.pinned ?? before?.pinned;
      return [...others, { name, at, time, ...(pinned && { pinned }) }];
    }
    case "checkpoint.pinned":
      return checkpoints.map((each) => (each.name === event.name ? { ...each, pinned: true } : each));
    case "checkpoint.unpinned":
      return checkpoints.map(({ pinned, ...each }) =>
        each.name === event.name ? each : { ...each, ...(pinned && { pinned }) },
      );
    case "checkpoint.forgotten": {
      const gone = new Set(event.names);
      return checkpoints.filter(({ name }) => !gone.has(name));
    }
  }
}
