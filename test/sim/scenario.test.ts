/** Every fault says what it attacks, and the page on the simulator says the same. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FAULTS } from "../../sim/scenario.ts";

const page = readFileSync(new URL("../../docs/simulation.md", import.meta.url), "utf8");

test.each(Object.entries(FAULTS))(
  "%s attacks invariants of the architecture, as the page says",
  (name, { attacks }) => {
    expect(attacks.length).toBeGreaterThan(0);
    for (const invariant of attacks) expect([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).toContain(invariant);
    expect(page).toContain(`| \`${name}\` | ${attacks.join(", ")} |`);
  },
);
