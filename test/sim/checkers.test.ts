/** A checker that cannot fail proves nothing: each one is shown a world in which what it guards is broken. */
import { expect, test } from "vitest";
import type { Disk } from "../../sim/disk.ts";
import type { Sabotage } from "../../sim/process.ts";
import { simulate } from "../../sim/simulation.ts";
import { assert } from "../../src/base/assert.ts";
import type { Digest } from "../../src/blobs/blobs.ts";
import type { Services } from "../../src/coordinator/services.ts";
import type { Driver } from "../../src/drivers/driver.ts";
import type { Append } from "../../src/journal/journal.ts";
import type { Tool } from "../../src/tools/tool.ts";

const SEEDS_MAX = 60;

/** The first violation, by the checker if one is named, that the sabotage leads to, within so many seeds. */
async function found(sabotage: () => Sabotage, checker?: string) {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { violation } = await simulate({ seed, sabotage: sabotage() });
    if (violation && (checker === undefined || violation.checker === checker)) return violation;
  }
  return undefined;
}

/** A journal of which every append goes through `around`. */
function appending(
  services: Services,
  around: (append: (appends: readonly Append[]) => Promise<void>, appends: readonly Append[]) => Promise<void>,
): Services {
  const { journal } = services;
  return { ...services, journal: { ...journal, append: (appends) => around(journal.append, appends) } };
}

function toolsChanged(services: Services, change: (tool: Tool) => Tool): Services {
  const { tools } = services;
  const find = (name: string) => {
    const tool = tools.find(name);
    return tool && change(tool);
  };
  return { ...services, tools: { ...tools, find } };
}

/** Once the disk has so many records, does something to the newest. */
function tampering(recordsMin: number, tamper: (disk: Disk) => void): Sabotage {
  let disk: Disk | undefined;
  let isDone = false;
  return {
    disk: (opened) => {
      disk = opened;
    },
    services: (services) =>
      appending(services, async (append, appends) => {
        await append(appends);
        assert(disk, "a process opens the disk before it appends");
        if (isDone || disk.store.order.length < recordsMin) return;
        isDone = true;
        tamper(disk);
      }),
  };
}

function newest({ store }: Disk) {
  const record = store.order.at(-1);
  assert(record, "there is a record");
  const log = store.logs.get(record.agent);
  assert(log, "it is in its agent's log");
  return { record, log };
}

test("1: an acknowledged record that is lost is found", async () => {
  const sabotage = () =>
    tampering(24, (disk) => {
      newest(disk).log.records.pop();
      disk.store.order.pop();
    });
  expect(await found(sabotage, "acknowledged")).toMatchObject({
    checker: "acknowledged",
    message: expect.stringContaining("is lost"),
  });
});

test("1: an acknowledged record that is changed is found", async () => {
  const sabotage = () =>
    tampering(20, (disk) => {
      const { record, log } = newest(disk);
      const changed = { ...record, body: `${record.body} ` };
      log.records[log.records.length - 1] = changed;
      disk.store.order[disk.store.order.length - 1] = changed;
    });
  expect(await found(sabotage)).toMatchObject({ message: expect.stringContaining("not what was acknowledged") });
});

test("1: acknowledged records that changed places are found", async () => {
  const sabotage = () =>
    tampering(20, (disk) => {
      const { order } = disk.store;
      const [, , a, b] = order;
      assert(a && b, "there are records");
      order.splice(2, 2, b, a);
    });
  expect(await found(sabotage)).toMatchObject({ message: expect.stringContaining("not at its position") });
});

test("1: damage that opening keeps to itself is found", async () => {
  const sabotage: Sabotage = {
    coordinator: (coordinator) => {
      const start = coordinator.start.bind(coordinator);
      coordinator.start = async (options) => ({ ...(await start(options)), damaged: [] });
    },
  };
  expect(await found(() => sabotage)).toMatchObject({
    checker: "recovery",
    message: expect.stringContaining("opening did not say so"),
  });
});

test("2: a process that writes after its successor has begun is found", async () => {
  const sabotage = () => ({
    disk: (disk: Disk) => {
      disk.store.epoch = 0;
    },
  });
  expect(await found(sabotage)).toMatchObject({ checker: "one writer" });
});

test("3: a head that is not what the journal folds to is found", async () => {
  const sabotage = () => ({
    services: (services: Services) =>
      appending(services, (append, appends) => {
        const wrong = (text: string) => text.replace(/,(?:true|false),\d+/, ",false,1000");
        return append(appends.map((each) => (each.summary ? { ...each, summary: wrong(each.summary) } : each)));
      }),
  });
  expect(await found(sabotage)).toMatchObject({ checker: "same state" });
});

test("4: a call under a hold that was acknowledged is found", async () => {
  const sabotage: Sabotage = {
    coordinator: ({ forest }) => {
      forest.holder = () => undefined;
    },
  };
  expect(await found(() => sabotage)).toMatchObject({ checker: "holds" });
});

test("5: a call that no budget allows is found", async () => {
  const sabotage: Sabotage = {
    coordinator: ({ forest }) => {
      forest.reserve = () => undefined;
    },
  };
  expect(await found(() => sabotage)).toMatchObject({
    checker: "budgets",
    message: expect.stringContaining("over its"),
  });
});

test("5: a call that cost more than the books say is found", async () => {
  const free = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const sabotage: Sabotage = {
    services: (services) => {
      const { driver } = services;
      const open: typeof driver.open = async (state, options) => {
        const session = await driver.open(state, options);
        return { ...session, turn: async (now, options) => ({ ...(await session.turn(now, options)), usage: free }) };
      };
      return { ...services, driver: { ...driver, open } };
    },
  };
  expect(await found(() => sabotage)).toMatchObject({ checker: "budgets", message: expect.stringContaining("books") });
});

test("6: what starts for an agent that has ended is found", async () => {
  const sabotage: Sabotage = {
    coordinator: ({ forest }) => {
      const { get, isOrphan } = forest;
      // Nobody below an end is stopped, and nobody there learns of it.
      forest.get = (agent) => {
        const node = get.call(forest, agent);
        return node && { ...node, children: [] };
      };
      forest.isOrphan = (agent) => isOrphan.call(forest, agent) && false;
    },
  };
  // Which of the two that notice it comes first is the seed's affair.
  const message = expect.stringMatching(/ started | goes on /);
  expect(await found(() => sabotage, "ends")).toMatchObject({ message });
});

test("6: a tool that goes on after its agent was cancelled is found", async () => {
  const deaf = new AbortController().signal;
  const sabotage: Sabotage = {
    services: (services) =>
      toolsChanged(services, (tool) => ({
        ...tool,
        run: (input, context) => tool.run(input, { ...context, signal: deaf }),
      })),
  };
  expect(await found(() => sabotage)).toMatchObject({ checker: "ends", message: expect.stringContaining("goes on") });
});

test("7: a blob that is referred to and was never stored is found", async () => {
  let disk: Disk | undefined;
  const sabotage: Sabotage = {
    disk: (opened) => {
      disk = opened;
    },
    services: (services) => {
      const { blobs } = services;
      const put: typeof blobs.put = async (content) => {
        const stored = await blobs.put(content);
        disk?.blobs.delete(stored.digest as Digest);
        return stored;
      };
      return { ...services, blobs: { ...blobs, put } };
    },
  };
  expect(await found(() => sabotage)).toMatchObject({ checker: "blobs" });
});

test("8: a tool that runs again though it is not safe to is found", async () => {
  const sabotage: Sabotage = {
    services: (services) => toolsChanged(services, (tool) => ({ ...tool, onUnknownOutcome: "rerun" })),
  };
  expect(await found(() => sabotage)).toMatchObject({ checker: "single runs" });
});

test("8: a tool that runs before its start is durable is found", async () => {
  const sabotage: Sabotage = {
    services: (services) => {
      const run = (tool: Tool): Tool["run"] => {
        return async (input, context) => {
          const early = tool.run(input, { ...context, callId: `${context.callId}-early` });
          return await early;
        };
      };
      return toolsChanged(services, (tool) => ({ ...tool, run: run(tool) }));
    },
  };
  expect(await found(() => sabotage)).toMatchObject({
    checker: "single runs",
    message: expect.stringContaining("durable"),
  });
});

test("10: a child that may do more than its parent is found", async () => {
  const sabotage: Sabotage = {
    services: (services) =>
      appending(services, (append, appends) => {
        const grant = (body: string) =>
          JSON.stringify({ ...JSON.parse(body), rights: { commands: true, spawn: true, root: "/" } });
        return append(
          appends.map((each) => ({
            ...each,
            records: each.records.map((record) => {
              const isChild = record.type === "agent.created" && !record.body.includes('"parent":null');
              return isChild ? { ...record, body: grant(record.body) } : record;
            }),
          })),
        );
      }),
  };
  expect(await found(() => sabotage)).toMatchObject({ checker: "rights" });
});

test("a verb that is acknowledged and leaves nothing is found", async () => {
  const sabotage: Sabotage = {
    coordinator: ({ control }) => {
      control.send = async () => undefined;
    },
  };
  expect(await found(() => sabotage)).toMatchObject({ checker: "kept word", message: expect.stringContaining("send") });
});

test("an agent that is not woken is found", async () => {
  const sabotage = (): Sabotage => ({
    services: (services) => {
      const { clock } = services;
      const timer: typeof clock.timer = (delayMs, fire) => {
        // Retries of calls are put off for a while; they never come.
        return delayMs > 400 && delayMs < 20_000 ? { cancel: () => undefined } : clock.timer(delayMs, fire);
      };
      return { ...services, clock: { now: clock.now, monotonic: clock.monotonic, timer } };
    },
  });
  expect(await found(sabotage)).toMatchObject({
    checker: "liveness",
    message: expect.stringContaining("stands still"),
  });
});

test("an agent's loop that ends by a bug is found", async () => {
  const sabotage: Sabotage = {
    services: (services) => ({
      ...services,
      driver: { missing: () => undefined, open: () => Promise.reject(new TypeError("a bug")) },
    }),
  };
  expect(await found(() => sabotage)).toMatchObject({ checker: "faults", message: expect.stringContaining("a bug") });
});

/** The driver of every process, changed. */
const withDriver =
  (change: (driver: Driver) => Partial<Driver>): (() => Sabotage) =>
  () => ({ services: (services) => ({ ...services, driver: { ...services.driver, ...change(services.driver) } }) });

test("sessions: starts that do not wait for each other are found", async () => {
  const sabotage = withDriver(({ open }) => ({ open: (state, { warm } = {}) => open(state, { warm }) }));
  expect(await found(sabotage, "sessions")).toMatchObject({ message: expect.stringContaining("start at once") });
});

test("sessions: one that is not closed when the pool says so is found", async () => {
  const sabotage = withDriver(({ open }) => ({
    open: async (state, options) => ({ ...(await open(state, options)), close: async () => undefined }),
  }));
  expect(await found(sabotage, "sessions")).toMatchObject({
    message: expect.stringMatching(/fit$|its session is open$/),
  });
});

test("sessions: a warm one that serves another tenant is found", async () => {
  const sabotage = withDriver(({ profile }) => ({
    // As a pool would that did not know of tenants.
    profile: (state) => profile?.({ ...state, head: { ...state.head, tenant: "acme" } }),
  }));
  expect(await found(sabotage, "sessions")).toMatchObject({
    message: expect.stringContaining(" of acme, of nobody, serves "),
  });
});

test("allowances: calls beyond what the provider said are found", async () => {
  const sabotage = withDriver(({ open }) => ({
    open: async (state, options) => {
      const session = await open(state, options);
      const turn: typeof session.turn = async (now, how) => {
        const { limits: _, ...outcome } = await session.turn(now, how);
        return outcome;
      };
      return { ...session, turn };
    },
  }));
  expect(await found(sabotage, "allowances")).toMatchObject({ message: expect.stringContaining("exceeds the limit") });
});

test("6: a program that begins before its start is durable is found", async () => {
  const sabotage = (): Sabotage => ({
    services: ({ launch, ...services }) => ({
      ...services,
      launch: launch && {
        ...launch,
        launch: async (program, policy) => {
          const launched = await launch.launch(program, policy);
          await launched.go();
          return launched;
        },
      },
    }),
  });
  expect(await found(sabotage, "processes")).toMatchObject({ message: expect.stringContaining("no journal knows") });
});

test("6: a program that is left running is found", async () => {
  const sabotage = (): Sabotage => ({
    services: ({ launch, ...services }) => ({
      ...services,
      launch: launch && {
        ...launch,
        // What ends is told at once, and nothing is ended.
        launch: async (program, policy) => {
          const launched = await launch.launch(program, policy);
          const { promise, resolve } = Promise.withResolvers<{ code: undefined; signal: string }>();
          return {
            system: launched.system,
            ready: launched.ready,
            exited: promise,
            go: () => launched.go(),
            onOutput: () => undefined,
            hold: () => undefined,
            write: async () => undefined,
            signal: (signal) => resolve({ code: undefined, signal }),
            clear: async () => 0,
          };
        },
      },
    }),
  });
  expect(await found(sabotage, "processes")).toMatchObject({ message: expect.stringContaining("runs") });
});
