/**
 * One simulated process: a coordinator with everything it is given, on the disk, provider and tools of the world.
 */
import { asBanyanError } from "../src/base/errors.ts";
import { createIds } from "../src/base/ids.ts";
import { createContents } from "../src/blobs/content.ts";
import { Coordinator } from "../src/coordinator/coordinator.ts";
import type { Services } from "../src/coordinator/services.ts";
import { createModelDriver } from "../src/drivers/model/model-driver.ts";
import { toolRegistry } from "../src/tools/registry.ts";
import { type Disk, short } from "./disk.ts";
import { Life } from "./life.ts";
import type { Programs } from "./programs.ts";
import type { Provider } from "./provider.ts";
import type { Sessions } from "./sessions.ts";
import type { Tools } from "./tools.ts";
import type { World } from "./world.ts";

/** What a self-test breaks in a process, so that a checker has something to find. */
export interface Sabotage {
  readonly services?: (services: Services, life: Life) => Services;
  readonly coordinator?: (coordinator: Coordinator) => void;
  /** Before a process opens the disk. */
  readonly disk?: (disk: Disk) => void;
}

export interface Surroundings {
  readonly world: World;
  readonly disk: Disk;
  readonly provider: Provider;
  readonly sessions: Sessions;
  readonly tools: Tools;
  readonly programs: Programs;
  readonly sabotage: Sabotage;
}

/** What a store may do to anyone; whatever else ends an agent's loop is a bug. */
const EXPECTED_FAULTS = ["DISK_FAILED", "SHUTTING_DOWN", "SNAPSHOT_DAMAGED"];

/** So few that the short conversations of these worlds have snapshots. */
const SNAPSHOT_TAIL_MIN = 2_000;
/** So few that the heads of most of these fleets are kept in one piece. */
const HEADS_KEPT_MIN = 3;

export class Process {
  readonly life: Life;
  readonly #disk: Disk;
  readonly coordinator: Coordinator;
  /** It has read the journal, and its agents go on. */
  isReady = false;
  /** It was told to stop. */
  isStopping = false;
  /** Another one was started beside it. */
  isStale = false;

  constructor({ world, disk, provider, sessions, tools, programs, sabotage }: Surroundings, number: number) {
    const life = new Life(number);
    sabotage.disk?.(disk);
    const clock = life.clock(world.clock);
    const { journal, blobs, snapshots } = disk.open(life);
    const contents = createContents({ blobs, redact: (text) => text });
    const random = world.dice(`process ${number}`);
    const models = provider.driver(createModelDriver({ contents, clock, models: [provider.model(life)] }));
    const driver = sessions.driver(life, models);
    const ids = createIds({ clock, random: world.dice(`ids ${number}`) });
    const registry = toolRegistry(tools.for(life));
    const launch = programs.for(life);
    const services = { journal, blobs, contents, snapshots, driver, tools: registry, clock, random, ids, launch };
    const { runningMax, childrenLiveMax, forksPerMinute, spawnsPerMinute } = world.scenario;
    this.life = life;
    this.#disk = disk;
    this.coordinator = new Coordinator(sabotage.services?.(services, life) ?? services, {
      runningMax,
      childrenLiveMax,
      forksPerMinute,
      spawnsPerMinute,
      pool: sessions.options,
      snapshotTailMin: SNAPSHOT_TAIL_MIN,
      headsKeptMin: HEADS_KEPT_MIN,
      onFault: (agent, error) => this.#fault(world, agent, error),
    });
    sabotage.coordinator?.(this.coordinator);
  }

  /** Resolves once its agents are on their way. @throws DISK_FAILED, and what else keeps it from reading the journal */
  async start(world: World): Promise<void> {
    const lost = [...this.#disk.damaged].filter(([, { hasSummary }]) => !hasSummary).map(([agent]) => agent);
    const { agents, damaged } = await this.coordinator.start();
    for (const { agent, error } of damaged) {
      if (error.code === "JOURNAL_DAMAGED" && this.#disk.damaged.has(agent)) world.count("done damage named");
      else world.fail("recovery", `${agent} could not be read: ${error.message}`);
    }
    for (const agent of lost) {
      const isNamed = damaged.some((each) => each.agent === agent);
      // Its head may have been kept with those of all others: then the damage is found when the agent is read.
      if (!isNamed && !this.coordinator.forest.get(agent))
        world.fail("recovery", `${agent} is damaged, and opening did not say so`);
    }
    world.note(`${this.life.number} is ready with ${agents} agents`);
    this.isReady = true;
  }

  /** True when it can be asked for something. */
  get isOpen(): boolean {
    return this.isReady && this.life.isRunning && !this.isStopping;
  }

  #fault(world: World, agent: string, error: unknown): void {
    const { code, message, stack } = asBanyanError(error);
    world.note(`${this.life.number} tells a fault of ${short(agent)}: ${code} ${message}`);
    const expected = [
      ...EXPECTED_FAULTS,
      ...(this.isStale ? ["JOURNAL_CONFLICT"] : []),
      ...(this.#disk.damaged.has(agent) ? ["JOURNAL_DAMAGED"] : []),
    ];
    if (!expected.includes(code)) world.fail("faults", `${code} ended the loop of ${agent}: ${message}\n${stack}`);
  }
}
