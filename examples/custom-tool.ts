/**
 * A tool of one's own, and what it says about crashes: booking is not safe to repeat, so a person is asked when a process died in
 * the middle of one. Runs without a key, on a scripted model; the first process is stopped before its booking is over.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { Banyan, defineTool, type Tool } from "../src/index.ts";
import { scriptedModel } from "../src/testing.ts";

const folder = await mkdtemp(join(tmpdir(), "banyan-example-"));
const began = Promise.withResolvers<void>();

/** `book` is what it takes: here it hangs the first time, as a slow service would. */
function booking(book: (seats: number) => Promise<string>): Tool {
  return defineTool({
    name: "book_table",
    description: "Books a table at the canteen. Answers with the number of the booking.",
    input: z.object({ seats: z.int().min(1).max(12).describe("How many people come.") }),
    onUnknownOutcome: "ask",
    run: ({ seats }) => book(seats),
  });
}

const model = scriptedModel((turn) => {
  return turn === 0 ? { calls: [{ tool: "book_table", input: { seats: 4 } }] } : "The table is booked.";
});

{
  const hanging = booking(async () => {
    began.resolve();
    return new Promise(() => undefined);
  });
  await using banyan = await Banyan.open(folder);
  await banyan.spawn({ name: "host", model, task: "Book a table for four.", tools: [hanging] });
  await began.promise;
  console.log("stopping in the middle of a booking");
}

{
  const working = booking(async (seats) => `booking 17, ${seats} seats`);
  await using banyan = await Banyan.open(folder, { models: [model], tools: [working] });
  const host = banyan.agent("host");
  for await (const { event } of host.events()) {
    if (event.type === "tool.asked") {
      console.log(event.question);
      await host.answer(event.callId, "rerun");
    }
    if (event.type === "tool.ended") console.log("the tool says:", event.content);
  }
  console.log((await host.result()).output);
}
await rm(folder, { recursive: true });
