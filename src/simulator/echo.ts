/** The mind that says again what it was told last: for trying a connection, and for load that costs no thought. */
import { blocksOf } from "./messages-api.ts";
import type { Mind } from "./mind.ts";

export function echoMind(): Mind {
  return {
    reply({ messages }) {
      const last = messages.at(-1);
      const texts = last ? blocksOf(last).flatMap((block) => (block.type === "text" ? [block.text] : [])) : [];
      return { content: [{ type: "text", text: texts.join("\n") || "(nothing was said)" }] };
    },
  };
}
