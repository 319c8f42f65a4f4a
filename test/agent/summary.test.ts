import fc from "fast-check";
import { expect, test } from "vitest";
import type { Head } from "../../src/agent/state.ts";
import { SummaryReader, summaryOf } from "../../src/agent/summary.ts";
import { headOf } from "../support/forests.ts";
import { live, plans } from "../support/journeys.ts";

const nobody = () => undefined;

test("U1: a head comes back as it was, but for the output, at every event of any life", () => {
  fc.assert(
    fc.property(plans(), (plan) => {
      const reader = new SummaryReader();
      for (const { head } of live(plan).states) {
        expect(reader.read(head.agent, summaryOf(head), nobody)).toStrictEqual({ ...head, output: null });
      }
    }),
    { numRuns: 200 },
  );
});

test("U1: a tenant comes back too", () => {
  const head = headOf(1, undefined, { tenant: "acme" });
  const read = new SummaryReader().read(head.agent, summaryOf(head), nobody);
  expect(JSON.stringify(read)).toBe(JSON.stringify(head));
});

test("ids that an agent above has, and what agents have alike, are kept once", () => {
  const top = headOf(1);
  const below = [2, 3].map((number) => headOf(number, top));
  const reader = new SummaryReader();
  const known = new Map<string, Head>([[top.agent, top]]);
  const [one, other] = below.map((head) => reader.read(head.agent, summaryOf(head), (agent) => known.get(agent)));
  expect([one, other]).toStrictEqual(below);
  expect(one?.execution).toBe(other?.execution);
});

test("U2: what is no summary of this format is none", () => {
  const head = headOf(1);
  const texts = ["", "{", JSON.stringify(head), `[2${summaryOf(head).slice(2)}`, summaryOf(head).replace("\n", " ")];
  for (const text of texts) expect(new SummaryReader().read(head.agent, text, nobody)).toBeUndefined();
});
