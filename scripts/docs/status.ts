/** docs/status.md: the lifecycle of an agent, as a diagram and a table. */
import { hasEnded, STATUSES, TRANSITIONS, WAITS } from "../../src/agent/status.ts";
import { code, opening, table } from "./markdown.ts";

export function statusPage(): string {
  const steps = STATUSES.flatMap((from) =>
    Object.entries(TRANSITIONS[from]).map(([to, when]) => ({ from, to, when: when ?? "" })),
  );
  const arrows = steps.map(({ from, to, when }) => `  ${from} --> ${to}: ${when}`);
  const rows = steps.map(({ from, to, when }) => [code(from), code(to), when]);
  const ended = STATUSES.filter(hasEnded).map(code);
  return `${opening("The status of an agent", "src/agent/status.ts")}
An agent has one status at a time. These are all the steps there are; the fold refuses a journal with any other.
One that is ${either(ended)} has ended: it does nothing more by itself. One that is ${code("waiting")} says for what:
${either(WAITS.map(code))}.

\`\`\`mermaid
stateDiagram-v2
  [*] --> queued
${arrows.join("\n")}
\`\`\`

${table(["from", "to", "when"], rows)}
`;
}

function either(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
