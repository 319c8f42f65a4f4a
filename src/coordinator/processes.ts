/**
 * The background processes of agents: between the supervisor, which runs them, and the journals, which know of them.
 *
 * P1  An agent that ends, or is rewound to before their start, leaves none of them running. A hold stops none.
 * P2  What an earlier host left, by its crash or its stop, is ended before anything starts; what is to go on is started again.
 * P3  The parent of an agent is told of a process of it that was given up, also when the host died between the two.
 * P4  What cannot be journaled of this for want of a disk is tried again until it can.
 * P5  What a run put out is an artifact of its agent, unless its tree or tenant has no room for it; then it has no name, and its end says where it is.
 * P6  That holds for a run that died with its host, too: of its draft, at the next start.
 */
import type { Recorded } from "../agent/events.ts";
import { endText, isLive, outputNameOf, processesOf } from "../agent/processes.ts";
import type { Process, State } from "../agent/state.ts";
import { hasEnded } from "../agent/status.ts";
import type { ArtifactQuota } from "../artifacts/quota.ts";
import type { Timer } from "../base/clock.ts";
import { asBanyanError, BanyanError } from "../base/errors.ts";
import type { AgentId } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { type BlobInfo, isDigest } from "../blobs/blobs.ts";
import type { DraftOf } from "../processes/drafts.ts";
import type { SystemProcess } from "../processes/launch.ts";
import type { RunEnd } from "../processes/run.ts";
import type { ProcessLog, ProcessSpec } from "../processes/supervised.ts";
import { Supervisor } from "../processes/supervisor.ts";
import type { ProcessAccess, ProcessInfo } from "../tools/tool.ts";
import type { Cell } from "./cell.ts";
import type { Control } from "./control.ts";
import { isEnd } from "./ends.ts";
import type { Roster } from "./roster.ts";
import type { Services } from "./services.ts";

export class Processes {
  readonly #services: Services;
  readonly #roster: Roster;
  readonly #control: () => Control;
  readonly #quota: ArtifactQuota;
  readonly #supervisor: Supervisor | undefined;
  /** P4. */
  readonly #retries = new Set<Timer>();
  #isClosed = false;

  constructor(
    services: Services,
    roster: Roster,
    { control, quota }: { control: () => Control; quota: ArtifactQuota },
  ) {
    this.#services = services;
    this.#roster = roster;
    this.#control = control;
    this.#quota = quota;
    const { launch, clock, blobs, contents, drafts } = services;
    const store = (bytes: AsyncIterable<Uint8Array>) => blobs.put(bytes);
    const { redact } = contents;
    this.#supervisor = launch && new Supervisor({ launch, clock, log: this.#log(), redact, store, drafts });
  }

  /** P2. Before any agent goes on. */
  async recover(onFault: OnFault): Promise<void> {
    const nodes = [...this.#roster.forest.nodes()];
    const left = nodes.filter(({ brief }) => (brief.processes ?? 0) > 0);
    // No process ever ran that is not journaled as running still: it begins after its start is durable, and is gone before its end is. A
    // command that an agent waits for runs while the agent does.
    const mayHaveRun = nodes.some(({ brief, head }) => brief.status === "running" && head.rights.commands);
    if (left.length > 0 || mayHaveRun) await this.#services.launch?.sweep();
    for (const { head } of left) await this.#recoverOf(this.#roster.cell(head.agent), onFault);
    await this.#dropDrafts(onFault);
    void this.#tellGivenUp(onFault);
  }

  /** P1: what follows from a commit, undefined when nothing does. */
  afterCommit({ agent, head }: Cell, recorded: readonly Recorded[]): Promise<unknown> | undefined {
    if (!this.#supervisor || head.processes === undefined) return undefined;
    if (hasEnded(head.status)) {
      return recorded.some(({ event }) => isEnd(event.type)) ? this.end(agent) : undefined;
    }
    return recorded.some(({ event }) => event.type === "agent.rewound") ? this.#endCut(agent) : undefined;
  }

  /** Resolves when no process of the agent runs any more. */
  async end(agent: AgentId): Promise<void> {
    await this.#supervisor?.end(agent, "its agent ended");
  }

  /** Ends all of them; those that are to go on do so at the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#retries) timer.cancel();
    await this.#supervisor?.close();
  }

  async list(agent: AgentId): Promise<ProcessInfo[]> {
    const state = await this.#roster.cell(agent).load();
    return processesOf(state).map((process) => this.#infoOf(agent, process));
  }

  access(cell: Cell, callId: string): ProcessAccess {
    const { agent } = cell;
    const live = (process: Process) => this.#supervisor?.find(agent, process.id);
    return {
      start: async ({ name, argv, cwd, policy }) => {
        const { rights } = cell.head;
        if (!rights.commands) throw new BanyanError("COMMAND_REFUSED", "this agent may not run commands", { agent });
        if (rights.sandbox?.network === false && policy.probes.some(({ kind }) => kind === "tcp" || kind === "http"))
          throw new BanyanError("TOOL_FAILED", "its sandbox has no network, so no tcp or http probe reaches it", {
            agent,
          });
        if (!this.#supervisor) throw new BanyanError("PROCESSES_NONE", "this runtime starts no processes", { agent });
        const id = this.#services.ids();
        await this.#supervisor.start({ id, agent, name, argv: [...argv], cwd, policy, rights, callId });
        return this.#info(cell, (process) => process.id === id);
      },
      run: async ({ timeMsMax, ...program }, signal) => {
        const { rights } = cell.head;
        const { launch } = this.#services;
        if (!rights.commands) throw new BanyanError("COMMAND_REFUSED", "this agent may not run commands", { agent });
        if (!launch) throw new BanyanError("PROCESSES_NONE", "this runtime starts no programs", { agent });
        const mark = encodeURIComponent(`${agent}.${callId}`.toWellFormed());
        return launch.run({ ...program, rights, mark }, timeMsMax, signal);
      },
      list: () => this.list(agent),
      output: async (name) => {
        const process = named(await cell.load(), name);
        const info = this.#infoOf(agent, process);
        const run = live(process)?.run;
        return run ? { ...run.output, info } : { ...(await this.#stored(info)), info };
      },
      write: async (name, text, end) => {
        const phase = live(named(await cell.load(), name))?.phase;
        if (phase?.is === "running") return phase.launched.write(text, end);
        throw new BanyanError("TOOL_FAILED", `${name} does not run`, { agent });
      },
      stop: async (name, graceMs) => {
        const { id } = named(await cell.load(), name);
        await this.#supervisor?.stop(agent, { how: "stopped", graceMs, why: "you stopped it" }, (each) => each === id);
        return this.#info(cell, (process) => process.id === id);
      },
    };
  }

  /** P2, P4. A damaged agent is left alone. */
  async #recoverOf(cell: Cell, onFault: OnFault): Promise<void> {
    try {
      const { launch, clock } = this.#services;
      const { processes = [] } = await cell.load();
      for (const process of processes) {
        if (process.phase.is !== "running" || this.#isOurs(cell, process)) continue;
        await launch?.reap(process.phase);
        const again = launch && process.policy.restart !== "never";
        const output = await this.#draftOf(cell.agent, process.id, process.phase);
        const end: RunEnd = { how: "lost", ...(output && { output }) };
        await this.#journalEnd(specOf(cell, process), end, again ? { restartTime: clock.now() } : {});
      }
      await this.#resume(cell);
    } catch (error) {
      this.#unlessDisk(cell, error, onFault, () => this.#recoverOf(cell, onFault));
    }
  }

  /** P6. Stores what an earlier host had of a run's output. Once more is harmless: what is stored is known by its content. */
  async #draftOf(agent: AgentId, id: string, system: SystemProcess): Promise<BlobInfo | undefined> {
    const { drafts, blobs } = this.#services;
    const bytes = await drafts?.read({ agent, id, system });
    return bytes && blobs.put(bytes);
  }

  /** Drops drafts of runs whose ends are durable. What is of an agent that could not be read stays. */
  async #dropDrafts(onFault: OnFault): Promise<void> {
    const { drafts } = this.#services;
    for (const draft of (await drafts?.list()) ?? []) {
      if (!this.#roster.forest.get(draft.agent)) continue;
      try {
        const { processes = [] } = await this.#roster.cell(draft.agent).load();
        if (!processes.some((process) => isRunOf(process, draft))) await drafts?.drop(draft);
      } catch (error) {
        onFault(draft.agent, error);
      }
    }
  }

  /** P3. An agent above that was told already drops what it is told again. */
  async #tellGivenUp(onFault: OnFault): Promise<void> {
    const { forest } = this.#roster;
    const likely = [...forest.nodes()].filter(({ brief, parent }) => {
      return brief.processes !== undefined && !hasEnded(brief.status) && parent && !hasEnded(parent.brief.status);
    });
    for (const { head } of likely) await this.#tellGivenUpOf(this.#roster.cell(head.agent), onFault);
  }

  async #tellGivenUpOf(cell: Cell, onFault: OnFault): Promise<void> {
    if (this.#isClosed) return;
    try {
      for (const process of processesOf(await cell.load())) {
        const { phase, last } = process;
        if (phase.is !== "ended" || !last?.gaveUp) continue;
        const spec = specOf(cell, process);
        await this.#escalate(cell, spec, tellingOf(spec, last, true));
      }
    } catch (error) {
      this.#unlessDisk(cell, error, onFault, () => this.#tellGivenUpOf(cell, onFault));
    }
  }

  /** P4. */
  #unlessDisk({ agent }: Cell, error: unknown, onFault: OnFault, again: () => Promise<void>): void {
    onFault(agent, error);
    if (this.#isClosed || asBanyanError(error).code !== "DISK_FAILED") return;
    const timer = this.#services.clock.timer(LIMITS.diskRetryMs, () => {
      this.#retries.delete(timer);
      void again();
    });
    this.#retries.add(timer);
  }

  #isOurs({ agent }: Cell, { id }: Process): boolean {
    return this.#supervisor?.find(agent, id) !== undefined;
  }

  async #endCut(agent: AgentId): Promise<void> {
    const { processes = [] } = await this.#roster.cell(agent).load();
    const cut = new Set(processes.flatMap((process) => (process.cut && isLive(process) ? [process.id] : [])));
    const stop = { how: "stopped", why: "its agent was rewound", graceMs: 0 } as const;
    await this.#supervisor?.stop(agent, stop, (id) => cut.has(id));
  }

  async #resume(cell: Cell): Promise<void> {
    const { processes = [] } = await cell.load();
    for (const process of processes) {
      if (process.phase.is !== "backingOff" || this.#isOurs(cell, process)) continue;
      const spec = specOf(cell, process);
      const isOver = hasEnded(cell.head.status) || process.cut || !this.#supervisor;
      if (isOver) await this.#journalEnd(spec, { how: "stopped" }, {});
      else this.#supervisor?.resume(spec, process.phase.restartTime);
    }
  }

  async #info(cell: Cell, holds: (process: Process) => boolean): Promise<ProcessInfo> {
    const process = (await cell.load()).processes?.find(holds);
    if (!process) throw new BanyanError("PROCESS_NOT_FOUND", "a rewind took it back", { agent: cell.agent });
    return this.#infoOf(cell.agent, process);
  }

  #infoOf(agent: AgentId, process: Process): ProcessInfo {
    const { id, name, argv, phase, last, restarts } = process;
    const live = this.#supervisor?.find(agent, id);
    const isOver = phase.is === "ended";
    return {
      id,
      name,
      argv,
      phase: isOver ? "ended" : (live?.phase.is ?? phase.is),
      pid: phase.is === "running" ? phase.pid : undefined,
      ready: live?.phase.is === "running" && live.phase.run.isReady,
      restarts,
      time: phase.is === "backingOff" ? phase.restartTime : phase.time,
      end: last && endText(process),
      bytes: live?.run?.bytes ?? last?.output?.bytes ?? 0,
      digest: last?.output?.digest,
    };
  }

  /** The end of what is stored: as much as would be in memory. */
  async #stored({ bytes, digest }: ProcessInfo): Promise<{ text: string; firstLine: number }> {
    if (!isDigest(digest)) return { text: "", firstLine: 1 };
    const from = Math.max(0, bytes - LIMITS.processRingBytesMax);
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.#services.blobs.get(digest, { from, to: bytes })) chunks.push(chunk);
    return { text: Buffer.concat(chunks).toString("utf8"), firstLine: from === 0 ? 1 : 0 };
  }

  #log(): ProcessLog {
    return {
      started: async ({ agent, rights: _, ...fields }, { pid, startTicks }) => {
        const system = { pid, ...(startTicks !== undefined && { startTicks }) };
        const { argv, ...more } = fields;
        await this.#roster.cell(agent).dispatch({ do: "startProcess", ...more, argv: [...argv], ...system });
      },
      restarted: async ({ agent, id }, { pid, startTicks }) => {
        const system = { pid, ...(startTicks !== undefined && { startTicks }) };
        await this.#roster.cell(agent).dispatch({ do: "restartProcess", id, ...system });
      },
      ended: (spec, end, next) => this.#journalEnd(spec, end, next),
    };
  }

  /** True when it is to start again. */
  async #journalEnd(spec: ProcessSpec, end: RunEnd, next: { restartTime?: number; gaveUp?: true }): Promise<boolean> {
    const cell = this.#roster.cell(spec.agent);
    const told = tellingOf(spec, end, next.gaveUp ?? false);
    // P5.
    const named = end.output && this.#quota.fits(spec.agent, { name: outputNameOf(spec.name), ...end.output });
    const events = await cell.dispatch({
      do: "endProcess",
      id: spec.id,
      ...end,
      ...next,
      told,
      ...(named && { named }),
    });
    if (hasEnded(cell.head.status)) cell.unload();
    else if (next.gaveUp && events.length > 0) await this.#escalate(cell, spec, told);
    return events.some((event) => event.type === "process.ended" && event.restartTime !== undefined);
  }

  /** P3. */
  async #escalate({ head }: Cell, spec: ProcessSpec, told: string): Promise<void> {
    if (head.parent === null) return;
    const from = { kind: "agent", id: head.agent, name: head.name } as const;
    const escalated = this.#control().deliver(head.parent, [{ id: `${spec.id}.gaveUp`, from, text: told }]);
    await escalated.catch((error) => {
      if (!GONE.has(asBanyanError(error).code)) throw error;
    });
  }
}

type OnFault = (agent: AgentId, error: unknown) => void;

/** A parent that has ended cannot be told. */
const GONE: ReadonlySet<string> = new Set(["AGENT_CANCELLED", "AGENT_ENDED", "PARENT_ENDED"]);

function specOf({ agent, head }: Cell, { id, name, argv, cwd, policy, callId }: Process): ProcessSpec {
  return { id, agent, name, argv, cwd, policy, callId, rights: head.rights };
}

function named(state: State, name: string): Process {
  const process = processesOf(state).findLast((each) => each.name === name);
  if (process) return process;
  throw new BanyanError("PROCESS_NOT_FOUND", `you started no process ${JSON.stringify(name.slice(0, 80))}`);
}

function isRunOf({ id, phase }: Process, draft: DraftOf): boolean {
  const { pid, startTicks } = draft.system;
  return id === draft.id && phase.is === "running" && phase.pid === pid && phase.startTicks === startTicks;
}

/** What the agent reads of an end. */
function tellingOf({ name }: ProcessSpec, end: RunEnd, gaveUp: boolean): string {
  const bytes = end.output?.bytes ?? 0;
  return [
    `The process ${name} ended: ${endText({ last: end })}.`,
    ...(gaveUp ? ["It was started again too often and is given up."] : []),
    bytes > 0 ? `It put out ${bytes} bytes; process_output shows them.` : "It put out nothing.",
  ].join(" ");
}
