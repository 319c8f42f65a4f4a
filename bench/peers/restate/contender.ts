/**
 * Restate, as its documentation builds agents: a virtual object a conversation, the messages in its state, each model call and each tool a
 * durable step. Its server runs beside this process, alone on one node, as it is configured by default.
 */
import { randomUUID } from "node:crypto";
import * as restate from "@restatedev/restate-sdk";
import * as clients from "@restatedev/restate-sdk-clients";
import type { Contender } from "../../core/contender.ts";
import { answer, resultOf } from "../../core/payload.ts";
import manifest from "./package.json" with { type: "json" };
import { freePort, startServer } from "./server.ts";

interface Message {
  readonly role: "user" | "assistant" | "tool";
  readonly content: string;
  readonly call?: { readonly id: string; readonly step: number } | undefined;
}

const agent = restate.object({
  name: "agent",
  handlers: {
    async run(ctx: restate.ObjectContext, turns: number): Promise<void> {
      const messages = (await ctx.get<Message[]>("messages")) ?? [];
      messages.push({ role: "user", content: "go" });
      for (let had = 0; had <= turns; had += 1) {
        const { text, call } = await ctx.run("model", () => answer(had, turns));
        messages.push({ role: "assistant", content: text, call });
        if (call) messages.push({ role: "tool", content: await ctx.run("work", () => resultOf(call.step)) });
      }
      ctx.set("messages", messages);
    },
    /** Where the next turn would read it: in a handler of the object. */
    count: restate.handlers.object.shared(
      async (ctx: restate.ObjectSharedContext) => (await ctx.get<Message[]>("messages"))?.length ?? 0,
    ),
    async fork(ctx: restate.ObjectContext, fork: string): Promise<void> {
      const messages = (await ctx.get<Message[]>("messages")) ?? [];
      await ctx.objectClient<Agent>({ name: "agent" }, fork).adopt(messages);
    },
    async adopt(ctx: restate.ObjectContext, messages: Message[]): Promise<void> {
      ctx.set("messages", messages);
    },
  },
});
type Agent = typeof agent;

export const contender: Contender = {
  name: "restate",
  durable: "every step, by its server",
  versions: manifest.dependencies,
  note: "a server beside the process; CPU and memory of both are counted",
  scale: { W2: 0.5 },
  async open(folder) {
    const port = await freePort();
    const endpoint = restate
      .endpoint()
      .bind(agent)
      .setLogger(() => undefined);
    await endpoint.listen(port);
    const server = await startServer(folder, `http://127.0.0.1:${port}`);
    const ingress = clients.connect({ url: server.ingress });
    const client = (key: string) => ingress.objectClient<Agent>({ name: "agent" }, key);
    return {
      servers: [server.pid],
      async run({ agents, turns }) {
        const keys = Array.from({ length: agents }, () => randomUUID());
        await Promise.all(keys.map((key) => client(key).run(turns)));
        return keys;
      },
      load: (key) => client(key).count(),
      async fork(key) {
        const fork = randomUUID();
        await client(key).fork(fork);
        return fork;
      },
      close: () => server.stop(),
    };
  },
};
