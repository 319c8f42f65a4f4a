/** `banyan run` where a process runs already: over its socket and over HTTP. */
import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { systemRandom } from "../../../src/base/random.ts";
import { takeTasks } from "../../../src/cli/run/tasks.ts";
import { connect } from "../../../src/client.ts";
import { loadSettings } from "../../../src/runtime/settings.ts";
import { AccessTokens } from "../../../src/server/access-tokens.ts";
import { startControl } from "../../../src/server/control-socket.ts";
import { startHttp } from "../../../src/server/http-server.ts";
import { banyan } from "../../support/command-line.ts";
import { openFleet } from "../../support/fleet.ts";

/** What `banyan up` is, with a model that answers at once. */
async function openHost({ takes = true } = {}) {
  const fleet = await openFleet();
  const { settings } = await loadSettings({ options: { dataDir: fleet.folder }, environment: {}, folder: "/" });
  const opened = new AsyncDisposableStack();
  const own = { model: fleet.model, provider: "a script", [Symbol.asyncDispose]: async () => undefined };
  const startTree = takes ? takeTasks(own, { banyan: fleet.banyan, settings, environment: {}, opened }) : undefined;
  const control = await startControl(fleet.banyan.runtime, { startTree });
  const tokens = new AccessTokens(fleet.folder, { clock: systemClock(), random: systemRandom });
  const token = tokens.first() ?? "";
  const http = await startHttp(fleet.banyan.runtime, { port: 0, tokens, startTree });
  return {
    ...{ fleet, tokens, token, http },
    async [Symbol.asyncDispose]() {
      await http.stop();
      await control.stop();
      await opened.disposeAsync();
      await fleet[Symbol.asyncDispose]();
    },
  };
}

test("a task is given to the process that runs on the data, and its result is shown here", async () => {
  await using host = await openHost();
  const { folder } = host.fleet;
  const ran = await banyan(["run", "write plan", "--dir", folder, "--data", folder, "--json"]);
  expect(ran.exit).toBe(0);
  expect(JSON.parse(ran.out)).toMatchObject({ status: "completed", agents: 1, artifacts: [{ name: "plan" }] });
  expect(host.fleet.banyan.roots().map(({ head }) => head.name)).toEqual(["coordinator"]);
});

test("a server elsewhere takes it too, from an admin alone", async () => {
  await using host = await openHost();
  const { folder } = host.fleet;
  const environment = { BANYAN_URL: host.http.url, BANYAN_TOKEN: host.token };
  const ran = await banyan(["run", "hello", "--dir", folder, "--json"], { environment });
  expect(JSON.parse(ran.out)).toMatchObject({ status: "completed", data: host.http.url });
  const operator = host.tokens.create({ name: "operator", role: "operator", endTime: null });
  const refused = await banyan(["run", "hello", "--dir", folder], {
    environment: { ...environment, BANYAN_TOKEN: operator },
  });
  expect(refused.err).toContain("ROLE_REFUSED");
  expect(host.fleet.banyan.roots()).toHaveLength(1);
});

test("Ctrl-C leaves the tree to the process", async () => {
  await using host = await openHost();
  const { folder, banyan: library } = host.fleet;
  const stop = new AbortController();
  const begun = new Promise<void>((resolve) => {
    const forget = library.runtime.coordinator.watch((_agent, _recorded, head) => {
      if (head.status !== "running") return;
      forget();
      resolve();
    });
  });
  const running = banyan(["run", "wait", "--dir", folder, "--data", folder], { interrupted: stop.signal });
  await begun;
  stop.abort();
  const { exit, err } = await running;
  expect(exit).toBe(4);
  expect(err).toContain("goes on without this terminal");
  expect(library.roots()[0]?.status).toBe("running");
});

test("a process that takes no tasks keeps its data to itself", async () => {
  await using host = await openHost({ takes: false });
  const { folder } = host.fleet;
  await using client = await connect(folder);
  await expect(client.spawn({ task: "hello", dir: folder })).rejects.toMatchObject({ code: "NOT_RUNNING" });
  const ran = await banyan(["run", "hello", "--dir", folder, "--data", folder]);
  expect(ran.err).toContain("DATA_IN_USE");
});

test("a folder that is none, and a path that is not absolute, are refused", async () => {
  await using host = await openHost();
  await using client = await connect(host.fleet.folder);
  for (const dir of ["/nowhere/at/all", "relative"]) {
    await expect(client.spawn({ task: "hello", dir })).rejects.toMatchObject({ code: "INPUT_INVALID" });
  }
});
