/** Journals of which a test holds the reads: to count them, to hold them up, to have them fail. */
import type { AgentId } from "../../src/base/ids.ts";
import type { Journal } from "../../src/journal/journal.ts";

export interface Hooks {
  /** Before the first record of a read is handed over; a rejection fails the read. */
  readonly beforeRead?: (agent: AgentId) => Promise<void>;
  /** After the last one. */
  readonly afterRead?: (agent: AgentId) => Promise<void>;
}

export function intercept(journal: Journal, { beforeRead, afterRead }: Hooks): Journal {
  return {
    epoch: journal.epoch,
    append: (appends) => journal.append(appends),
    head: (agent) => journal.head(agent),
    heads: (options) => journal.heads(options),
    follow: (position, signal) => journal.follow(position, signal),
    position: () => journal.position(),
    positionOf: (agent, seq) => journal.positionOf(agent, seq),
    seqAt: (agent, position) => journal.seqAt(agent, position),
    verify: () => journal.verify(),
    close: () => journal.close(),
    async *read(agent, range) {
      await beforeRead?.(agent);
      yield* journal.read(agent, range);
      await afterRead?.(agent);
    },
  };
}
