/** A mind for tests: a list of replies that are given in order, or a function. */
import { ApiError } from "./api-error.ts";
import type { MessagesRequest } from "./messages-api.ts";
import type { Mind, MindContext, Reply } from "./mind.ts";

type Script = (request: MessagesRequest, context: MindContext) => Reply | string | Promise<Reply | string>;

/** A string stands for a reply of that text. A list that is used up answers with 500, so that a test cannot miss it. */
export function scriptedMind(script: Script | readonly (Reply | string)[]): Mind {
  let next = 0;
  const ask: Script =
    typeof script === "function"
      ? script
      : () => {
          const reply = script[next++];
          if (reply === undefined) throw new ApiError("api_error", `the script has only ${script.length} replies`);
          return reply;
        };
  return {
    async reply(request, context) {
      const reply = await ask(request, context);
      return typeof reply === "string" ? { content: [{ type: "text", text: reply }] } : reply;
    },
  };
}
