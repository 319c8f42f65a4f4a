/**
 * The sessions of a process: who has one, who waits for one, which are kept. docs/decisions/pool.md says why it is like this.
 *
 * P1  The memory charged for all sessions, those under way and those that are being closed included, never passes the bound by a claim.
 * P2  A claim never blocks: it is met, or its agent rests and is woken when a session is set aside for it.
 * P3  Waits are served fairly between trees, the deepest agent of a tree first.
 * P4  A session never serves two tenants, nor two agents.
 * P5  A session whose agent works is never closed but by its agent.
 */

import type { Execution } from "../../agent/events.ts";
import { tenantOf } from "../../agent/head.ts";
import type { State } from "../../agent/state.ts";
import type { Clock } from "../../base/clock.ts";
import { BanyanError } from "../../base/errors.ts";
import type { AgentId } from "../../base/ids.ts";
import { LIMITS } from "../../base/limits.ts";
import type { Random } from "../../base/random.ts";
import type { Driver, Profile, Session, StartGate } from "../../drivers/driver.ts";
import { scale, targetOf } from "./autoscaler.ts";
import { type Claim, Claims } from "./claims.ts";
import { type ClaimedFrom, claimWaitMsOf, type PoolHappening, type PoolWatcher } from "./events.ts";
import { figuresOf, PoolCounts, type PoolFigures } from "./figures.ts";
import { isHealthy } from "./health.ts";
import { type Eviction, Member } from "./member.ts";
import { Room } from "./room.ts";
import { Shelf } from "./shelf.ts";
import { Starts } from "./starts.ts";
import { Stock } from "./stock.ts";
import { Upkeep } from "./upkeep.ts";

export interface PoolOptions {
  /** Bytes that all sessions may take. Default LIMITS.poolMemoryBytesDefault. */
  readonly memoryBytesMax?: number | undefined;
  /** Bytes that the machine has left, where somebody knows: LIMITS.poolSpareBytesMin of them stay. */
  readonly memoryBytesFree?: (() => number) | undefined;
  /** Sessions that start at once. Default LIMITS.poolStartsDefault. */
  readonly startsMax?: number | undefined;
  /** Longest wait for a session. Default LIMITS.poolWaitMsMax. */
  readonly waitMsMax?: number | undefined;
  /** After which a session that nobody uses is closed, and after which any is once nobody uses it. Default LIMITS.poolIdleMsMax, poolAgeMsMax. */
  readonly idleMsMax?: number | undefined;
  readonly ageMsMax?: number | undefined;
  /** Ready sessions of each profile that is in use. Default: what the autoscaler finds. */
  readonly ready?: number | undefined;
}

export interface PoolParts {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly random: Random;
  /** Has an agent that waits look again: a session is set aside for it, or it has waited too long. */
  readonly wake: (agent: AgentId) => void;
  /** Calls that the provider has room for now. Default: any number. */
  readonly headroom?: (execution: Execution) => number;
}

/** Sessions differ in age by this part of the longest, so that those that start together do not end together. */
const AGE_JITTER = 0.5;

export class Pool {
  readonly #with: PoolParts;
  readonly #options: PoolOptions;
  readonly #room: Room;
  readonly #starts: Starts;
  readonly #stock: Stock;
  readonly #upkeep: Upkeep;
  readonly #waitMsMax: number;
  readonly #shelves = new Map<string, Shelf>();
  /** Sessions that agents have, or that are set aside for them. */
  readonly #own = new Map<AgentId, Member>();
  readonly #claims = new Claims();
  readonly #counts = new PoolCounts();
  readonly #watchers = new Set<PoolWatcher>();
  /** Its claim is being made: it need not be woken. */
  #claiming: AgentId | undefined;
  #isStopped = false;

  constructor(parts: PoolParts, options: PoolOptions = {}) {
    this.#with = parts;
    this.#options = options;
    this.#waitMsMax = options.waitMsMax ?? LIMITS.poolWaitMsMax;
    this.#starts = new Starts(options.startsMax ?? LIMITS.poolStartsDefault, () => this.#serve());
    this.#room = new Room({
      bytesMax: options.memoryBytesMax ?? LIMITS.poolMemoryBytesDefault,
      bytesFree: options.memoryBytesFree,
      bytesSpare: LIMITS.poolSpareBytesMin,
      close: (member) => this.#evict(member, "memory"),
      closed: (member, why, message) => {
        this.#counts.evicted(why);
        this.#tell(member.shelf, { type: "evicted", why, ...(message !== undefined && { message }) });
        this.#serve();
      },
    });
    this.#stock = new Stock({
      clock: parts.clock,
      room: this.#room,
      starts: this.#starts,
      oldMs: () => this.#oldMs(),
      tell: (shelf, happening) => this.#tell(shelf, happening),
      onReady: () => this.#serve(),
    });
    this.#upkeep = new Upkeep({
      clock: parts.clock,
      room: this.#room,
      stock: this.#stock,
      shelves: this.#shelves,
      idleMsMax: options.idleMsMax ?? LIMITS.poolIdleMsMax,
      evict: (member, why) => this.#evict(member, why),
      scale: (shelf) => this.#scale(shelf, 0),
      looked: (nowMs) => {
        for (const { agent } of this.#claims.olderThan(nowMs - this.#waitMsMax)) parts.wake(agent);
        this.#serve();
      },
    });
  }

  /**
   * P2. The agent's session, or undefined when it must wait: it is to rest then.
   * @throws POOL_EXHAUSTED when it has waited for too long, CONFIG_INVALID when no wait could help, and what `Driver.open` throws
   */
  async claim(state: State): Promise<Session | undefined> {
    const profile = this.#with.driver.profile?.(state);
    if (!profile) return this.#with.driver.open(state);
    const { agent } = state.head;
    const shelf = this.#shelf(state, profile);
    const parked = await this.#unpark(agent, shelf);
    if (parked) return parked;
    const claim = this.#claims.get(agent) ?? this.#join(state, shelf, profile);
    for (let own = this.#own.get(agent); own; own = this.#own.get(agent)) {
      const session = await this.#open(state, own, claim);
      if (session) return session;
    }
    return this.#wait(claim);
  }

  /** The agent rests. A session of the pool's is kept for it; one that was set aside for it is not. `waits`: it still wants one. */
  leave(agent: AgentId, { waits }: { waits: boolean }): void {
    if (!waits) this.#claims.close(agent);
    const member = this.#own.get(agent);
    if (!member) return;
    const { state } = member;
    if (state.is === "claimed") {
      this.#starts.forgo(member);
      member.become({ is: "parked", agent, session: state.session, sinceMs: this.#nowMs });
      this.#room.rests(member);
      this.#tell(member.shelf, { type: "parked", agent });
    } else if (state.is !== "parked") this.#putBack(agent, member);
    this.#serve();
  }

  /** Closes the agent's session, and has it wait for none. Resolves when that is done. */
  async end(agent: AgentId): Promise<void> {
    this.#claims.close(agent);
    const member = this.#own.get(agent);
    if (!member) return;
    const { state } = member;
    if (state.is === "claimed" || state.is === "parked") await this.#close(agent, member, "ended");
    else this.#putBack(agent, member);
  }

  /** True when the agent's session is the pool's: it is left to it when the agent rests. */
  has(agent: AgentId): boolean {
    return this.#own.has(agent);
  }

  /** Tells of what happens. Returns how to stop that. */
  watch(watcher: PoolWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  get figures(): PoolFigures {
    const { waiting } = this.#claims;
    return figuresOf(this.#counts, {
      room: this.#room,
      starts: this.#starts,
      shelves: this.#shelves.values(),
      waiting,
    });
  }

  /** Closes every session; nobody claims one any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#upkeep.stop();
    for (const agent of this.#claims.agents) this.#claims.close(agent);
    await this.#stock.stop();
    const closing: Promise<void>[] = [];
    for (const member of [...this.#room.members]) {
      const { state } = member;
      if (state.is === "cold") this.#putBack(state.agent, member);
      else if (state.is === "ready") closing.push(this.#stock.close(member, "stopped", state.warm));
      else if (state.is === "claimed" || state.is === "parked")
        closing.push(this.#close(state.agent, member, "stopped"));
      else if (state.is === "draining") closing.push(state.closed);
    }
    await Promise.all(closing);
  }

  get #nowMs(): number {
    return this.#with.clock.monotonic();
  }

  #shelf({ head }: State, profile: Profile): Shelf {
    const { execution } = head;
    const tenant = tenantOf(head);
    // P4. A tenant's name has no space.
    const key = `${tenant} ${profile.key}`;
    const shelf = this.#shelves.get(key) ?? new Shelf({ tenant, profile, execution }, this.#nowMs);
    shelf.profile = profile;
    shelf.execution = execution;
    shelf.usedMs = this.#nowMs;
    this.#shelves.set(key, shelf);
    this.#upkeep.goOn();
    return shelf;
  }

  /** The session that the agent left, if it still serves. */
  async #unpark(agent: AgentId, shelf: Shelf): Promise<Session | undefined> {
    const member = this.#own.get(agent);
    if (member?.state.is !== "parked") return undefined;
    const { session } = member.state;
    this.#room.wakes(member);
    // P5: from here on it is the agent's.
    member.become({ is: "claimed", agent, session });
    const useless =
      member.shelf !== shelf ? "changed" : (await isHealthy(this.#with.clock, session)) ? undefined : "unhealthy";
    if (useless) {
      await this.#close(agent, member, useless);
      return undefined;
    }
    this.#claimed(agent, shelf, "parked", this.#nowMs);
    return session;
  }

  #join({ head: { agent, root: tree, level } }: State, shelf: Shelf, { takesWarm }: Profile): Claim {
    const size = Math.max(1, shelf.bytes);
    if (size > this.#room.bytesMax) {
      const message = `a session takes ${size} bytes, and the pool may take ${this.#room.bytesMax}`;
      throw new BanyanError("CONFIG_INVALID", message, { agent });
    }
    const claim = { agent, tree, level, size, shelf, takesWarm, sinceMs: this.#nowMs, hasWaited: false };
    if (takesWarm) this.#scale(shelf, 1);
    this.#enqueue(claim);
    return claim;
  }

  #enqueue(claim: Claim): void {
    this.#claims.add(claim);
    this.#claiming = claim.agent;
    this.#serve();
    this.#claiming = undefined;
  }

  #wait(claim: Claim): undefined {
    const { agent, shelf, sinceMs, hasWaited } = claim;
    const waitMs = this.#nowMs - sinceMs;
    if (waitMs >= this.#waitMsMax) {
      this.#claims.close(agent);
      this.#tell(shelf, { type: "exhausted", agent, waitMs });
      throw new BanyanError("POOL_EXHAUSTED", `no session came free in ${Math.round(waitMs / 1_000)} s`, { agent });
    }
    if (!hasWaited) this.#tell(shelf, { type: "waiting", agent });
    claim.hasWaited = true;
    return undefined;
  }

  /** Opens what was set aside for the agent. Undefined when it was of no use: the agent stands in the queue again. */
  async #open(state: State, member: Member, claim: Claim): Promise<Session | undefined> {
    const { agent, shelf } = claim;
    const aside = member.state;
    const warm = aside.is === "ready" ? aside.warm : undefined;
    if (warm && (member.shelf !== shelf || !(await isHealthy(this.#with.clock, warm)))) {
      this.#own.delete(agent);
      void this.#stock.close(member, member.shelf === shelf ? "unhealthy" : "changed", warm);
      this.#enqueue(claim);
      return undefined;
    }
    let session: Session;
    try {
      session = await this.#with.driver.open(state, { warm, start: this.#gate(member, claim) });
    } catch (error) {
      this.#claims.close(agent);
      this.#own.delete(agent);
      if (warm) void this.#stock.close(member, "unhealthy", warm);
      else this.#putBack(agent, member);
      throw error;
    }
    this.#claims.close(agent);
    member.become({ is: "claimed", agent, session });
    if (!warm) member.awaitedMs = claim.sinceMs;
    this.#claimed(agent, shelf, warm ? (claim.hasWaited ? "waited" : "ready") : "cold", claim.sinceMs);
    return session;
  }

  #claimed(agent: AgentId, shelf: Shelf, from: ClaimedFrom, sinceMs: number): void {
    const waitMs = this.#nowMs - sinceMs;
    this.#counts.claimed(from);
    this.#tell(shelf, { type: "claimed", agent, from, waitMs });
  }

  /** R8 of drivers. */
  #gate(member: Member, { agent, tree, level }: Claim): StartGate {
    return async (work, signal) => {
      await this.#starts.enter(member, { agent, tree, level, size: 1 }, signal);
      const startMs = this.#nowMs;
      try {
        const started = await work();
        member.shelf.started(this.#nowMs - startMs);
        const { awaitedMs, shelf } = member;
        member.awaitedMs = undefined;
        if (awaitedMs !== undefined) this.#tell(shelf, { type: "started", agent, waitMs: this.#nowMs - awaitedMs });
        return started;
      } finally {
        this.#starts.leave();
      }
    };
  }

  /** So many more were asked for. */
  #scale(shelf: Shelf, claims: number): void {
    if (!shelf.profile.warm) return;
    const { ready } = this.#options;
    const { bytes, execution, target, warmupMs } = shelf;
    const fitting = Math.floor(this.#room.bytesLeft / bytes) + shelf.ready.size + shelf.warming.size;
    const most = Math.min(fitting, this.#with.headroom?.(execution) ?? Number.POSITIVE_INFINITY);
    shelf.scaler = scale(shelf.scaler, { nowMs: this.#nowMs, claims, warmupMs, most });
    shelf.target = ready === undefined ? targetOf(shelf.scaler) : Math.min(ready, fitting);
    const { isPanic } = shelf.scaler;
    if (shelf.target !== target) this.#tell(shelf, { type: "target", from: target, to: shelf.target, isPanic });
  }

  /** P3. Sets sessions aside for those who wait, and wakes them; then warms. */
  #serve(): void {
    if (this.#isStopped) return;
    while (this.#stock.size > 0) {
      const claim = this.#claims.firstForReady();
      const member = claim && this.#stock.take(claim.shelf);
      if (!claim || member?.state.is !== "ready") break;
      member.become({ ...member.state, agent: claim.agent });
      this.#setAside(claim, member);
    }
    for (let claim = this.#claims.first(); claim && this.#starts.isFree; claim = this.#claims.first()) {
      if (!this.#room.makeFor(claim.shelf.bytes)) return;
      const member = new Member(claim.shelf, { is: "cold", agent: claim.agent }, this.#oldMs());
      this.#room.add(member);
      this.#starts.setAside(member);
      this.#setAside(claim, member);
    }
    if (this.#claims.waiting === 0) this.#stock.fill(this.#shelves.values());
  }

  #setAside(claim: Claim, member: Member): void {
    this.#claims.call(claim);
    this.#own.set(claim.agent, member);
    if (claim.agent !== this.#claiming) this.#with.wake(claim.agent);
  }

  /** What was set aside is others' now. */
  #putBack(agent: AgentId, member: Member): void {
    const { state } = member;
    this.#claims.close(agent);
    this.#own.delete(agent);
    if (state.is === "ready") this.#stock.put(member, state.warm);
    else {
      this.#starts.forgo(member);
      this.#room.remove(member);
    }
  }

  /** Closes one that nobody uses. */
  #evict(member: Member, why: Eviction): void {
    const { state } = member;
    if (state.is === "ready") void this.#stock.close(member, why, state.warm);
    else if (state.is === "parked") void this.#close(state.agent, member, why);
  }

  #close(agent: AgentId, member: Member, why: Eviction): Promise<void> {
    const { state } = member;
    this.#own.delete(agent);
    this.#starts.forgo(member);
    if (state.is === "claimed" || state.is === "parked") return this.#room.drain(member, why, state.session);
    return Promise.resolve();
  }

  #oldMs(): number {
    const { clock, random } = this.#with;
    return clock.monotonic() + (this.#options.ageMsMax ?? LIMITS.poolAgeMsMax) * (1 - AGE_JITTER * random.next());
  }

  #tell({ tenant, profile }: Shelf, happening: PoolHappening): void {
    this.#counts.waited(claimWaitMsOf(happening));
    if (this.#watchers.size === 0) return;
    const event = { ...happening, tenant, profile: profile.key, atMs: this.#nowMs };
    for (const watcher of this.#watchers) watcher(event);
  }
}
