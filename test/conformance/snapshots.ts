/** The conformance of the snapshots port: every adapter passes all of it. The numbers are those of src/checkpoints/snapshots.ts. */
import { describe, expect, test } from "vitest";
import type { AgentId } from "../../src/base/ids.ts";
import type { Snapshots } from "../../src/checkpoints/snapshots.ts";
import { idOf } from "../support/commands.ts";

/** `make` makes a new, empty store for every test. */
export function snapshotsConformance(name: string, make: () => Promise<Snapshots>): void {
  describe(`snapshots in ${name}`, () => {
    const [a, b] = [idOf(1), idOf(2)];

    test("S1: what is read is what was kept, of each agent and sequence", async () => {
      const snapshots = await make();
      const all = ["", "one", "ä\u0000\n漢字", "x".repeat(300), "x".repeat(1_000_000)].map((text) => Buffer.from(text));
      all.push(Buffer.from(Array.from({ length: 100_000 }, (_, at) => (at * 7919) % 251)));
      for (const [index, bytes] of all.entries()) await snapshots.keep(a, index + 1, [bytes]);
      await snapshots.keep(a, 100, all);
      await snapshots.keep(a, 101, []);
      await snapshots.keep(b, 2, [Buffer.from("of another")]);
      for (const [index, bytes] of all.entries()) expect(await partsOf(snapshots, a, index + 1)).toEqual([bytes]);
      expect(await partsOf(snapshots, a, 100)).toEqual(all);
      expect(await partsOf(snapshots, a, 101)).toEqual([]);
      expect(await textOf(snapshots, b, 2)).toBe("of another");
    });

    test("they are listed newest first, and those of others are not", async () => {
      const snapshots = await make();
      for (const seq of [9, 10, 100, 2]) await snapshots.keep(a, seq, [Buffer.from(`${seq}`)]);
      expect(await snapshots.list(a)).toEqual([100, 10, 9, 2]);
      expect(await snapshots.list(b)).toEqual([]);
    });

    test("S2: one that is kept again replaces the one before", async () => {
      const snapshots = await make();
      await Promise.all(Array.from({ length: 20 }, () => snapshots.keep(a, 5, [Buffer.from("same")])));
      await snapshots.keep(a, 5, [Buffer.from("newer")]);
      expect([await snapshots.list(a), await textOf(snapshots, a, 5)]).toEqual([[5], "newer"]);
    });

    test("the heads of all agents are what was kept last, beside every snapshot", async () => {
      const snapshots = await make();
      expect(await snapshots.readHeads()).toBeUndefined();
      await snapshots.keep(a, 1, [Buffer.from("of an agent")]);
      await snapshots.keepHeads(Buffer.alloc(100_000, 1));
      await snapshots.keepHeads(Buffer.from("newer"));
      expect(String(await snapshots.readHeads())).toBe("newer");
      expect([await snapshots.list(a), await textOf(snapshots, a, 1)]).toEqual([[1], "of an agent"]);
    });

    test("one that is deleted, or never was, is not there; deleting it again is harmless", async () => {
      const snapshots = await make();
      await snapshots.keep(a, 5, [Buffer.from("text")]);
      await snapshots.delete(a, 5);
      await snapshots.delete(a, 5);
      await snapshots.delete(b, 1);
      expect(await snapshots.list(a)).toEqual([]);
      for (const agent of [a, b]) {
        await expect(snapshots.read(agent, 5)).rejects.toMatchObject({ code: "SNAPSHOT_DAMAGED", agent });
      }
    });
  });
}

/** What each part says of its bytes is true. */
async function partsOf(snapshots: Snapshots, agent: AgentId, seq: number): Promise<Buffer[]> {
  const parts = await snapshots.read(agent, seq);
  const unpacked = parts.map((part) => part.unpack());
  expect(unpacked.map(({ length }) => length)).toEqual(parts.map(({ bytes }) => bytes));
  return unpacked;
}

async function textOf(snapshots: Snapshots, agent: AgentId, seq: number): Promise<string> {
  return Buffer.concat(await partsOf(snapshots, agent, seq)).toString();
}
