/**
 * What the golden data fold to: one hash an agent, of its whole state. When these change and the data do not, snapshots of the states
 * before are wrong, and FORMAT of src/checkpoints/snapshot-parts.ts must grow.
 */
import { hash } from "node:crypto";
import { foldAgent } from "../../src/coordinator/fold.ts";
import { openDataJournal } from "../../src/runtime/data-journal.ts";

export const FORMATS = ["format-1", "format-2"];

export async function statesOf(folder: string): Promise<Record<string, string>> {
  const journal = await openDataJournal(folder, { readOnly: true });
  const states: Record<string, string> = {};
  try {
    for await (const heads of journal.heads()) {
      for (const { agent } of heads) {
        const { state } = await foldAgent({ journal }, agent);
        const { head, entries, open, inbox, children } = state;
        const plain = { head, entries: [...entries], open, inbox, children: [...children.values()] };
        states[agent] = hash("sha256", JSON.stringify(plain));
      }
    }
    return states;
  } finally {
    await journal.close();
  }
}
