/** One run: what is kept of its output. */
import { expect, test } from "vitest";
import { createRedactor } from "../../src/base/redact.ts";
import { Run } from "../../src/processes/run.ts";
import { TestLaunched } from "../support/launches.ts";
import { PLAIN_POLICY } from "../support/processes.ts";

test("no secret reaches the store, wherever it is cut", async () => {
  const secret = `sk-ant-${"a1B2".repeat(12)}`;
  const stored: Uint8Array[] = [];
  const program = { argv: ["serve"], cwd: ".", rights: { commands: true, spawn: false }, mark: "m" };
  const launched = new TestLaunched(program, 1);
  const run = new Run(launched, {
    policy: PLAIN_POLICY,
    redact: createRedactor(),
    store: async (bytes) => {
      for await (const chunk of bytes) stored.push(chunk);
      return { digest: `sha256:${"0".repeat(64)}`, bytes: 0 };
    },
    onLimit: () => undefined,
  });
  launched.say(`key ${secret.slice(0, 20)}`);
  expect(run.output.text).toBe("key ");
  launched.say(`${secret.slice(20)}\n`);
  expect(run.output).toEqual({ text: "key [redacted:anthropic]\n", firstLine: 1 });
  await run.end({ code: 0, signal: undefined });
  expect(Buffer.concat(stored).toString()).toBe("key [redacted:anthropic]\n");
});
