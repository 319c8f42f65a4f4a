/** What Claude Code's own rules do not let pass waits for a person, who answers in the library, at the command line or over HTTP. */
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { systemRandom } from "../../../src/base/random.ts";
import { AccessTokens } from "../../../src/server/access-tokens.ts";
import { startControl } from "../../../src/server/control-socket.ts";
import { startHttp } from "../../../src/server/http-server.ts";
import { banyan as commandLine } from "../../support/command-line.ts";
import { asks, call, isInstalled, Stage, saidIn, seen, WITH_SDK } from "./claude-code.ts";

describe.skipIf(!isInstalled)(WITH_SDK, { timeout: 60_000 }, () => {
  test("an approval is answered by the library, by the command and over HTTP", async () => {
    await using stage = await Stage.set({
      lead: (turn) => (turn < 3 ? asks(call("Read", { file_path: "/etc/hostname" })) : "Done."),
    });
    const banyan = await stage.open();
    const tokens = new AccessTokens(stage.place.data, { clock: systemClock(), random: systemRandom });
    const control = await startControl(banyan.runtime);
    const http = await startHttp(banyan.runtime, { port: 0, tokens, shutDown: () => undefined });
    const driver = { ...stage.claude("Read"), asksBeyond: true };
    const agent = await banyan.spawn({ driver, instructions: "lead", task: "Go." });
    let after = 0;
    const asked = async () => {
      const { seq, event } = await seen(agent, ({ type }) => type === "tool.asked", { after });
      after = seq;
      expect(agent.head).toMatchObject({ status: "waiting", waitingFor: "approval" });
      return event.type === "tool.asked" ? event.callId : "";
    };
    await agent.answer(await asked(), "report", { reason: "By the library." });
    const callId = await asked();
    const { exit, err } = await commandLine([
      "answer",
      agent.id,
      callId,
      "deny",
      "--reason",
      "By the command.",
      "--data",
      stage.place.data,
    ]);
    expect([exit, err]).toEqual([0, ""]);
    const body = JSON.stringify({ agent: agent.id, callId: await asked(), decision: "report", reason: "Over HTTP." });
    const headers = { "content-type": "application/json", authorization: `Bearer ${tokens.first() ?? ""}` };
    const answered = await fetch(`${http.url}/v1/answer`, { method: "POST", headers, body });
    expect(answered.status).toBe(200);
    expect(await agent.result()).toMatchObject({ status: "completed", output: "Done." });
    await Promise.all([http.stop(), control.stop()]);
    const said = stage.requests
      .at(-1)
      ?.messages.flatMap(saidIn)
      .filter((text) => text.startsWith("!"));
    expect(said).toEqual(["By the library.", "By the command.", "Over HTTP."].map((by) => expect.stringContaining(by)));
  });
});
