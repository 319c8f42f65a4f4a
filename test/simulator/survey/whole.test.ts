/** Reading a result that was cut: every line, whatever their lengths, in as few rounds as it takes. */
import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { wholeText } from "../../../src/simulator/survey/whole.ts";

const SHOWN_BYTES_MAX = 8_192;

/** Answers a plan's reads of a text as the runtime does, cutting what is long. */
function readBack(text: string): { text: string; rounds: number } {
  const shown = (of: string) => {
    const ref = `sha256:${hash("sha256", of)}`;
    const note = `\n[cut: ${of.length} bytes in total; read the rest with read_artifact ref=${ref}]`;
    return { text: of.length <= SHOWN_BYTES_MAX ? of : of.slice(0, 2_048) + note, failed: false };
  };
  const lines = text.split("\n");
  const plan = wholeText(shown(text));
  let rounds = 0;
  for (let step = plan.next(); ; rounds++) {
    if (step.done) return { text: step.value, rounds };
    const outcomes = step.value.map(({ input }) => {
      const offset = Number(input.offset);
      const page = lines.slice(offset - 1, offset - 1 + Number(input.limit));
      const head = `${input.ref}: lines ${offset}-${offset + page.length - 1} of ${lines.length}, ${text.length} bytes`;
      return shown([head, ...page].join("\n"));
    });
    step = plan.next(outcomes);
  }
}

test.each([
  ["a text that was not cut", "a\nb", 0],
  ["even lines", "line of text\n".repeat(5_000), 2],
  [
    "a few long lines among short ones",
    `${"short\n".repeat(400)}${`${"x".repeat(3_000)}\n`.repeat(12)}${"short\n".repeat(400)}end`,
    9,
  ],
  ["empty lines", `${"\n".repeat(20_000)}end`, 2],
])("%s", (_name, text, roundsMax) => {
  const back = readBack(text);
  expect(back.text).toBe(text);
  expect(back.rounds).toBeLessThanOrEqual(roundsMax);
});

test("a line too long for a message stays a head, and the others are whole", () => {
  const lines = ["first", "x".repeat(20_000), "last"];
  const back = readBack(lines.join("\n")).text.split("\n");
  expect(back[0]).toBe("first");
  expect(lines[1]?.startsWith(back[1] ?? "?")).toBe(true);
  expect(back[2]).toBe("last");
});
