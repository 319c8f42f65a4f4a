/** A process with one agent of Claude Code, to be killed or stopped. Its argument says where; see `Stage.place`. A fault is a line of its output. */
import { Banyan, BanyanError, claude } from "../../../src/index.ts";
import { loadSdk, MODEL, type Place } from "./claude-code.ts";

const { data, url, folder } = JSON.parse(process.argv[2] ?? "") as Place;
const onFault = (_agent: string, error: unknown) => {
  const fault = error instanceof BanyanError ? error.code : String(error);
  process.stdout.write(`${JSON.stringify({ fault })}\n`);
};
const banyan = await Banyan.open(data, { onFault, claude: { baseUrl: url, apiKey: "test", sdk: loadSdk } });
await banyan.spawn({
  name: "lead",
  driver: claude({ model: MODEL, tools: ["Bash"], folder }),
  instructions: "lead",
  task: "Go.",
});
