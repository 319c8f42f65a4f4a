/** A process with one agent of Claude Code, to be killed. Its argument says where; see `Stage.place`. */
import { Banyan, claude } from "../../../src/index.ts";
import { loadSdk, MODEL, type Place } from "./claude-code.ts";

const { data, url, folder } = JSON.parse(process.argv[2] ?? "") as Place;
const banyan = await Banyan.open(data, { claude: { baseUrl: url, apiKey: "test", sdk: loadSdk } });
await banyan.spawn({
  name: "lead",
  driver: claude({ model: MODEL, tools: ["Bash"], folder }),
  instructions: "lead",
  task: "Go.",
});
