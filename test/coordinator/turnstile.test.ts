import { expect, test } from "vitest";
import { presentIsOver } from "../../src/base/event-loop.ts";
import { Turnstile } from "../../src/coordinator/turnstile.ts";

test("so many pass in one turn of the event loop, and the others in the next ones, each once", async () => {
  const turnstile = new Turnstile(10);
  let passed = 0;
  const order: number[] = [];
  const all = Array.from({ length: 35 }, async (_, index) => {
    await turnstile.pass();
    passed += 1;
    order.push(index);
  });
  await Promise.resolve();
  const seen: number[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    seen.push(passed);
    await presentIsOver();
  }
  await Promise.all(all);
  expect([seen, passed]).toEqual([[10, 20, 30, 35], 35]);
  expect(order).toEqual(Array.from({ length: 35 }, (_, index) => index));
});
