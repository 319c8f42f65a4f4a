/** What kits allow, alone and together. */
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { commands, files, processes, rightsTogether } from "../../src/tools/kits.ts";

const together = (...kits: { rights: object }[]) => rightsTogether(kits.map(({ rights }) => rights));

test("no sandbox unless one is asked for; with one, no network unless that is", () => {
  expect(commands().rights).toEqual({ commands: true });
  expect(commands({ sandbox: true }).rights.sandbox).toEqual({ network: false, readable: [] });
  expect(processes({ sandbox: { network: true, readable: ["lib"] } }).rights.sandbox).toEqual({
    network: true,
    readable: [resolve("lib")],
  });
});

test("a sandbox of one kit holds for all, and the network is there only when all give it", () => {
  expect(together(files({ root: "/a" }), commands({ sandbox: true }), processes())).toEqual({
    root: "/a",
    commands: true,
    sandbox: { network: false, readable: [] },
  });
  const network = { sandbox: { network: true } };
  expect(together(commands(network), processes({ sandbox: true })).sandbox?.network).toBe(false);
  expect(together(commands(network), processes(network)).sandbox?.network).toBe(true);
});
