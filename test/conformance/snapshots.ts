/** The conformance of the snapshots port: every adapter passes all of it. The numbers are those of src/checkpoints/snapshots.ts. */
import { describe, expect, test } from "vitest";
import type { Snapshots } from "../../src/checkpoints/snapshots.ts";
import { idOf } from "../support/commands.ts";

/** `make` makes a new, empty store for every test. */
export function snapshotsConformance(name: string, make: () => Promise<Snapshots>): void {
  describe(`snapshots in ${name}`, () => {
    const [a, b] = [idOf(1), idOf(2)];

    test("S1: what is read is what was kept, of each agent and sequence", async () => {
      const snapshots = await make();
      const texts = ["", "one", "ä\u0000\n漢字", "x".repeat(1_000_000)];
      for (const [index, text] of texts.entries()) await snapshots.keep(a, index + 1, text);
      await snapshots.keep(b, 2, "of another");
      for (const [index, text] of texts.entries()) expect(await snapshots.read(a, index + 1)).toBe(text);
      expect(await snapshots.read(b, 2)).toBe("of another");
    });

    test("they are listed newest first, and those of others are not", async () => {
      const snapshots = await make();
      for (const seq of [9, 10, 100, 2]) await snapshots.keep(a, seq, `${seq}`);
      expect(await snapshots.list(a)).toEqual([100, 10, 9, 2]);
      expect(await snapshots.list(b)).toEqual([]);
    });

    test("S2: one that is kept again replaces the one before", async () => {
      const snapshots = await make();
      await Promise.all(Array.from({ length: 20 }, () => snapshots.keep(a, 5, "same")));
      await snapshots.keep(a, 5, "newer");
      expect([await snapshots.list(a), await snapshots.read(a, 5)]).toEqual([[5], "newer"]);
    });

    test("one that is deleted, or never was, is not there; deleting it again is harmless", async () => {
      const snapshots = await make();
      await snapshots.keep(a, 5, "text");
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
