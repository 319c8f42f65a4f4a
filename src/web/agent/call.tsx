/** A tool call with its result, folded; and texts, of which long ones are loaded when they are asked for. */
import { useState } from "react";
import type { TranscriptEntry } from "../../server/contract/agent.ts";
import { list, wordsOf } from "../api/operations.ts";
import { bytesOf } from "../artifacts/base64.ts";
import { bytes, visible, visibleLine } from "../parts/format.ts";

type Assistant = Extract<TranscriptEntry, { role: "assistant" }>;
type ToolCall = Extract<Assistant["parts"][number], { type: "toolCall" }>;
type Result = Extract<TranscriptEntry, { role: "tools" }>["results"][number];
type Content = Result["text"];

const OUTCOMES: Readonly<Record<string, string>> = { ok: "completed", error: "failed", denied: "cancelled" };

interface Given {
  readonly call: ToolCall;
  readonly result: Result | undefined;
  /** It waits for a person. */
  readonly asks: boolean;
  readonly open: boolean;
}

export function Call({ call, result, asks, open }: Given) {
  const input = "json" in call.input ? JSON.stringify(call.input.json, null, 1) : call.input.text;
  const head = typeof input === "string" ? input : input.head;
  const size = result === undefined ? 0 : typeof result.text === "string" ? result.text.length : result.text.bytes;
  return (
    <details className="call" open={open}>
      <summary>
        <bdi className="tool">{visibleLine(call.name)}</bdi>
        <span className="input">{visibleLine(head).slice(0, 160)}</span>
        <span
          className="state"
          data-state={result ? (OUTCOMES[result.outcome] ?? "held") : asks ? "approval" : "running"}
        >
          {result ? `${result.outcome}, ${bytes(size)}` : asks ? "waits for you" : "under way"}
        </span>
      </summary>
      <h3>Input</h3>
      <Text text={input} />
      {result && (
        <>
          <h3>Result</h3>
          <Text text={result.text} />
        </>
      )}
    </details>
  );
}

export function Text({ text }: { text: Content }) {
  const [whole, setWhole] = useState<string>();
  const [problem, setProblem] = useState("");
  if (typeof text === "string") return <div className="text">{visible(text)}</div>;
  const load = async () => {
    try {
      setWhole(await textOfBlob(text.digest));
    } catch (error) {
      setProblem(wordsOf(error));
    }
  };
  return (
    <div className="text">
      {visible(whole ?? text.head)}
      {whole === undefined && (
        <div>
          <button type="button" className="button" onClick={() => void load()}>
            {`Load all of it (${bytes(text.bytes)})`}
          </button>
          {problem !== "" && <span className="refusal">{problem}</span>}
        </div>
      )}
    </div>
  );
}

async function textOfBlob(digest: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const pieces of list("artifact", { digest })) {
    for (const { base64 } of pieces) text += decoder.decode(bytesOf(base64), { stream: true });
  }
  return text + decoder.decode();
}
