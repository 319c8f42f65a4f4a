/** Runs the benches of size one after the other, each in a process of its own over what is built, and gives their lines. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Sizes {
  /** At rest, and at work beside them. */
  readonly agents: string;
  readonly live: string;
  /** Of one agent. */
  readonly turns: string;
  /** Of one tree. */
  readonly events: string;
}

const AS_BUILT = new URL("../core/as-built.ts", import.meta.url).href;
/** As the banyan command sets it. The processes that they start get the same flags. */
const NODE_FLAGS = ["--max-semi-space-size=16", "--import", AS_BUILT];

/** Returns which could not run; the others have. */
export async function sizes(
  { agents, live, turns, events }: Sizes,
  onLine: (line: string) => void,
): Promise<readonly string[]> {
  const failed: string[] = [];
  const benches = [
    ["verbs.ts", "--agents", agents, "--live", live],
    ["turns.ts", turns],
    ["events.ts", events],
  ] as const;
  for (const [module, ...args] of benches) {
    const code = await script(fileURLToPath(new URL(module, import.meta.url)), args, onLine);
    if (code !== 0) failed.push(`bench/size/${module}: exit ${code}`);
  }
  return failed;
}

/** Resolves to its exit code, null when a signal ended it, once all of its lines were given. */
function script(path: string, args: readonly string[], onLine: (line: string) => void): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, [...NODE_FLAGS, path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    createInterface({ input: started.stdout }).on("line", onLine);
    const end = () => started.kill();
    process.once("exit", end);
    started.once("error", reject);
    started.once("close", (code) => {
      process.off("exit", end);
      resolve(code);
    });
  });
}
