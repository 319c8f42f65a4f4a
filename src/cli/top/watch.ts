/**
 * `banyan top` at a terminal: reads the fleet as it changes and the keys, and draws at most ten times a second. The terminal is given back as it was,
 * however this ends.
 */
import { emitKeypressEvents, type Key } from "node:readline";
import { type Clock, sleep, type Timer } from "../../base/clock.ts";
import { asBanyanError } from "../../base/errors.ts";
import type { Client } from "../../client.ts";
import { Fleet } from "../../fleet/fleet.ts";
import { columnsOf, type Io, type Output } from "../io.ts";
import { painter } from "../look.ts";
import { agentLines, ENTRIES_SHOWN } from "./agent-lines.ts";
import { Board, type Effect } from "./board.ts";
import { keyOf } from "./keys.ts";
import { drawScreen, rowsIn, type Size, scrolled } from "./screen.ts";

const DRAW_MS_MIN = 100;
const TICK_MS = 1_000;
const AGAIN_MS = 1_000;

const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const LINE_REST = "\u001b[K";
const SCREEN_REST = "\u001b[J";

/** Resolves when the person leaves. `top` is the subtree to begin with. */
export async function watchFleet(io: Io, client: Client, input: NodeJS.ReadStream, top?: string): Promise<void> {
  const left = new AbortController();
  const signal = AbortSignal.any([io.interrupted, left.signal]);
  const screen = new Screen(io, client, () => left.abort());
  const onKey = (text: string | undefined, key: Key) => screen.press(keyOf(text, key));
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.on("keypress", onKey);
  input.resume();
  io.out.write(ENTER);
  try {
    await screen.follow(signal, top);
  } finally {
    screen.stop();
    input.off("keypress", onKey);
    input.setRawMode(false);
    input.pause();
    io.out.write(LEAVE);
  }
}

class Screen {
  readonly #io: Io;
  readonly #clock: Clock;
  readonly #out: Output;
  readonly #client: Client;
  readonly #leave: () => void;
  readonly #fleet = new Fleet();
  readonly #board = new Board(this.#fleet);
  #first = 0;
  #newsMs: number;
  #note = "";
  #detail: readonly string[] = [];
  #drawing: Timer | undefined;
  #ticking: Timer | undefined;

  constructor(io: Io, client: Client, leave: () => void) {
    this.#io = io;
    this.#clock = io.clock;
    this.#out = io.out;
    this.#client = client;
    this.#leave = leave;
    this.#newsMs = io.clock.monotonic();
    this.#tick();
  }

  /** Until the signal is aborted: through restarts of the process that runs the agents too. */
  async follow(signal: AbortSignal, top: string | undefined): Promise<void> {
    let zoomed = top === undefined ? "" : (await this.#client.agent({ agent: top })).id;
    let selected = "";
    while (!signal.aborted) {
      try {
        for await (const frame of this.#client.fleet({ follow: true }, { signal })) {
          this.#newsMs = this.#clock.monotonic();
          this.#drawSoon();
          if (frame.kind === "changes") this.#fleet.applyChanges(frame);
          if (frame.kind !== "agents") continue;
          if (frame.from === 0) {
            selected = this.#fleet.id[this.#board.selected] ?? selected;
            zoomed = this.#fleet.id[this.#board.top] ?? zoomed;
          }
          this.#fleet.applyAgents(frame);
          if (this.#fleet.count < frame.total) continue;
          this.#board.again({ selected, top: zoomed });
          zoomed = "";
        }
        if (!signal.aborted) this.#note = "no process runs on this data";
      } catch (error) {
        if (signal.aborted) return;
        this.#note = asBanyanError(error).message;
      }
      await sleep(this.#clock, AGAIN_MS, signal).catch(() => undefined);
    }
  }

  press(key: string | undefined): void {
    if (key === undefined) return;
    this.#note = "";
    const effect = this.#board.press(key, rowsIn(this.#size));
    if (effect) void this.#carryOut(effect);
    this.#draw();
  }

  stop(): void {
    this.#drawing?.cancel();
    this.#ticking?.cancel();
  }

  async #carryOut(effect: Effect): Promise<void> {
    try {
      if (effect.do === "quit") return this.#leave();
      this.#note = effect.do === "show" ? await this.#show(effect.agent) : await this.#command(effect);
    } catch (error) {
      const { code, message } = asBanyanError(error);
      this.#note = `${code}: ${message}`;
    }
    this.#draw();
  }

  async #show(agent: string): Promise<string> {
    this.#detail = ["…"];
    const [detail, messages] = await Promise.all([
      this.#client.agent({ agent }),
      this.#client.messages({ agent }).toArray(),
    ]);
    const { columns } = this.#size;
    this.#detail = agentLines(detail, messages.slice(-ENTRIES_SHOWN), columns, painter(this.#io.colour));
    return "";
  }

  async #command(effect: Exclude<Effect, { do: "quit" | "show" }>): Promise<string> {
    const { agent, text } = effect;
    const verb = effect.do;
    const answer =
      verb === "send"
        ? await this.#client.send({ agent, text })
        : verb === "fork"
          ? await this.#client.fork({ agent, ...(text !== "" && { task: text }) })
          : await this.#client[verb]({ agent });
    return `${verb}: ${answer.name} is ${answer.status}`;
  }

  get #size(): Size {
    return { columns: columnsOf(this.#io), rows: Math.max(6, this.#out.rows ?? 24) };
  }

  /** Time alone changes what is shown: ages, and who has stalled. */
  #tick(): void {
    this.#ticking = this.#clock.timer(TICK_MS, () => {
      this.#fleet.tick(this.#clock.now());
      this.#tick();
      this.#drawSoon();
    });
  }

  #drawSoon(): void {
    this.#drawing ??= this.#clock.timer(DRAW_MS_MIN, () => {
      this.#drawing = undefined;
      this.#draw();
    });
  }

  #draw(): void {
    const size = this.#size;
    if (this.#board.selected < 0) this.#board.selected = this.#board.rows().agents[0] ?? -1;
    this.#first = scrolled(this.#board, size, this.#first);
    const lines = drawScreen(this.#board, size, this.#first, {
      paint: painter(this.#io.colour),
      silentMs: this.#clock.monotonic() - this.#newsMs,
      note: this.#note,
      detail: this.#detail,
    });
    this.#out.write(`${HOME}${lines.map((line) => `${line}${LINE_REST}`).join("\r\n")}${SCREEN_REST}`);
  }
}
