/** The Azure trace of LLM requests for code, 2023 (Azure/AzurePublicDataset, CC-BY-4.0): when each came, and the tokens of its answer. */
import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";

export interface Arrival {
  /** Milliseconds since the first. */
  readonly atMs: number;
  readonly tokens: number;
}

/** Undefined where the file is not there. */
export async function readTrace(path: string): Promise<Arrival[] | undefined> {
  const packed = await readFile(path).catch(() => undefined);
  if (!packed) return undefined;
  const [, ...lines] = gunzipSync(packed).toString("utf8").trim().split("\n");
  const rows = lines.map((line) => {
    const [time = "", , tokens = "0"] = line.split(",");
    return { timeMs: Date.parse(`${time.slice(0, 23).replace(" ", "T")}Z`), tokens: Number(tokens) };
  });
  const first = rows[0]?.timeMs ?? 0;
  return rows.map(({ timeMs, tokens }) => ({ atMs: timeMs - first, tokens }));
}
