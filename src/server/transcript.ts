/** A conversation as the contract shows it. */
import type { Entry, Message } from "../agent/state.ts";
import type { TranscriptEntry } from "./contract/agent.ts";

export function* transcript(entries: Iterable<Entry>): Generator<TranscriptEntry> {
  for (const entry of entries) yield shown(entry);
}

function shown(entry: Entry): TranscriptEntry {
  switch (entry.kind) {
    case "user":
      return told(entry.seq, entry.message);
    case "assistant": {
      const { seq, time, parts, interrupted, meta } = entry;
      return { role: "assistant", seq, time, parts: [...parts], interrupted, ...(meta && { meta }) };
    }
    case "tools": {
      const results = entry.results.map(({ callId, name, outcome, content, meta }) => {
        return { callId, name, outcome, text: content, ...(meta && { meta }) };
      });
      return { role: "tools", seq: entry.seq, time: Math.max(...entry.results.map(({ time }) => time)), results };
    }
  }
}

function told(seq: number, { time, from, content, report, meta }: Message): TranscriptEntry {
  return {
    role: "user",
    seq,
    time,
    from,
    text: content,
    ...(report && { report: report.status }),
    ...(meta && { meta }),
  };
}
