/**
 * All agents of this process: the forest that links their heads, and the cells of those that something was asked of.
 */
import type { Recorded } from "../agent/events.ts";
import { Forest } from "../agent/forest.ts";
import { BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import type { Past } from "../checkpoints/restore.ts";
import { type Birth, Cell, type CellHooks } from "./cell.ts";
import { Turnstile } from "./turnstile.ts";

export type CommitListener = (cell: Cell, recorded: readonly Recorded[]) => void;

export class Roster {
  readonly forest = new Forest();
  readonly #cells = new Map<AgentId, Cell>();
  readonly #hooks: CellHooks;
  readonly #listeners: CommitListener[] = [];

  constructor(means: Pick<CellHooks, "past" | "snapshotter" | "clock">) {
    this.#hooks = {
      ...means,
      readers: new Turnstile(LIMITS.readAtOnceMax),
      committed: (cell, recorded) => {
        this.#cells.set(cell.agent, cell);
        this.forest.put(cell.head);
        for (const listener of this.#listeners) listener(cell, recorded);
      },
      folded: (cell) => this.forest.put(cell.head),
    };
  }

  /** Where what the agents were is read from. */
  get past(): Past {
    return this.#hooks.past;
  }

  /** Adds a listener that is told of every event once it is durable, and once the forest shows it. */
  onCommit(listener: CommitListener): void {
    this.#listeners.push(listener);
  }

  /** @throws AGENT_NOT_FOUND */
  cell(agent: AgentId): Cell {
    const known = this.#cells.get(agent);
    if (known) return known;
    const node = this.forest.get(agent);
    if (!node) throw new BanyanError("AGENT_NOT_FOUND", `no agent ${agent}`, { agent });
    const cell = new Cell(agent, this.#hooks, node.head);
    this.#cells.set(agent, cell);
    return cell;
  }

  /** Forks whose past was not read yet: their heads are not known in full. */
  unread(): AgentId[] {
    return [...this.#cells.values()].filter(({ isWhole }) => !isWhole).map(({ agent }) => agent);
  }

  /** A cell for an agent that has no journal yet; it is on the roster once its first append is durable. */
  unborn(agent: AgentId): Cell {
    return new Cell(agent, this.#hooks);
  }

  /** Makes agents durable that no command of another brings into being: roots, and forks of them. */
  async found(births: readonly Birth[]): Promise<void> {
    await this.#hooks.past.journal.append(births.map(({ append }) => append));
    for (const birth of births) birth.cell.begin(birth);
  }
}
