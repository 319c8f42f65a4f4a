/** A Claude Code that says nothing any more, with an SDK that is none and a time that is moved by hand. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ManualClock } from "../../../src/base/clock.ts";
import { LIMITS } from "../../../src/base/limits.ts";
import { isHealthy } from "../../../src/coordinator/pool/health.ts";
import { Gateway } from "../../../src/drivers/claude/gateway.ts";
import { type Profile, Running } from "../../../src/drivers/claude/running.ts";
import type { ClaudeSdk, UserMessage } from "../../../src/drivers/claude/sdk.ts";
import { checkSettings } from "../../../src/drivers/claude/settings.ts";
import { LimitMarks } from "../../../src/processes/limit-mark.ts";
import { Warden } from "../../../src/processes/warden.ts";

const NEVER = new AbortController().signal;

/** One that makes its first call when it is told something, and answers as long as `answers` says so. */
async function begin(answers: () => boolean) {
  const clock = new ManualClock();
  const homes = await mkdtemp(join(tmpdir(), "banyan-homes-"));
  const never = new Promise<never>(() => undefined);
  const hear = async (prompt: AsyncIterable<UserMessage>, env: Record<string, string>) => {
    for await (const _ of prompt) {
      const headers = { "x-api-key": env.ANTHROPIC_API_KEY ?? "" };
      const call = fetch(`${env.ANTHROPIC_BASE_URL}/v1/messages`, { method: "POST", headers, body: "{}" });
      void call.catch(() => undefined);
    }
  };
  const sdk: ClaudeSdk = {
    query: ({ prompt, options: { env } }) => {
      void hear(prompt, env);
      return {
        close: () => undefined,
        mcpServerStatus: () => (answers() ? Promise.resolve([]) : never),
        [Symbol.asyncIterator]: () => ({ next: () => never }),
      };
    },
  };
  const profile: Profile = {
    ...{ sdk, model: "m", outputTokensMax: 10, folder: homes, homes, marks: ["test"], warden: new Warden("test") },
    limits: new LimitMarks({ data: "test", host: "test" }),
    ...{ mayRunCommands: false, asksBeyond: false, ownTools: [], leavesRunning: false, tools: [] },
    ...{ environment: {}, given: {}, asked: checkSettings({}, "test") },
  };
  let number = 0;
  const means = { clock, gateway: new Gateway(clock), uuid: () => `${++number}` };
  const running = await Running.ready(profile, false, means, NEVER);
  const close = async () => {
    await running.close();
    await rm(homes, { recursive: true, force: true });
  };
  return { clock, running, [Symbol.asyncDispose]: close };
}

test("one that was heard of a moment ago is well at once; later it is asked, and has a second", async () => {
  let answers = true;
  await using begun = await begin(() => answers);
  const { clock, running } = begun;
  expect(running.healthy()).toBe(true);
  clock.advance(LIMITS.claudeHeardMsMax);
  expect(await isHealthy(clock, running)).toBe(true);
  // It has answered, so it is known to be well again.
  expect(running.healthy()).toBe(true);
  answers = false;
  clock.advance(LIMITS.claudeHeardMsMax);
  const asked = isHealthy(clock, running);
  clock.advance(LIMITS.poolHealthMsMax);
  expect(await asked).toBe(false);
});

test("one that is waited for and says nothing, nor when it is asked, is ended; one that answers is waited for", async () => {
  let answers = true;
  await using begun = await begin(() => answers);
  const { clock, running } = begun;
  const waits = running.within(NEVER, new Promise(() => undefined));
  const failed = waits.catch((error: Error) => error.message);
  for (let round = 0; round < 20; round++) {
    clock.advance(LIMITS.claudeHeardMsMax);
    await Promise.resolve();
  }
  expect(running.isOver).toBe(false);
  answers = false;
  clock.advance(LIMITS.claudeHeardMsMax + 2 * LIMITS.claudeAnswerMsMax);
  expect(await failed).toContain("Claude Code ended");
  expect(running.isOver).toBe(true);
});
