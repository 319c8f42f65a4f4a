import fc from "fast-check";
import { expect, test } from "vitest";
import { KeptOutput } from "../../src/processes/kept-output.ts";

const kept = (bytesMax: number, chunks: readonly string[]) => {
  const output = new KeptOutput(bytesMax);
  for (const chunk of chunks) output.add(Buffer.from(chunk));
  return output;
};

test("what fits is kept whole", () => {
  expect(kept(10, ["abc", "", "defghij"]).text()).toBe("abcdefghij");
  expect(kept(10, []).text()).toBe("");
});

test("of what does not fit, the beginning and the end", () => {
  expect(kept(4, ["abcdefgh"]).text()).toBe("ab\n[... 4 bytes left out ...]\ngh");
});

test("however it comes in pieces, it is the same", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom(..."abcdefgh"), maxLength: 12 })),
      fc.integer({ min: 2, max: 20 }),
      (chunks, bytesMax) => {
        const whole = chunks.join("");
        const output = kept(bytesMax, chunks);
        expect(output.bytes).toBe(whole.length);
        const tail = Math.floor(bytesMax / 2);
        const left = whole.length - bytesMax;
        const cut = `${whole.slice(0, bytesMax - tail)}\n[... ${left} bytes left out ...]\n${whole.slice(-tail)}`;
        expect(output.text()).toBe(left > 0 ? cut : whole);
      },
    ),
  );
});
