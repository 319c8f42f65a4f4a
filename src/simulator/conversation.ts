/**
 * What the API demands of messages among each other. Neighbours of one role count as one turn, as the API joins them.
 *
 * C1  The first message is the user's, and no text is empty or blank; only the last assistant message may be empty.
 * C2  Every tool_use is answered by a tool_result in the turn after it, before anything else in that turn.
 * C3  Every tool_result answers a tool_use of the turn before it.
 * C4  Ids of tool_use blocks differ within a turn. (Recorded runs repeat ids in different turns; that is let through.)
 * C5  A prefilled answer does not end in white space.
 */
import { invalid } from "./api-error.ts";
import { type Block, blocksOf, type Message, type PromptRequest } from "./messages-api.ts";

/** @throws ApiError 400, worded as the API words it */
export function checkConversation({ messages, tools }: PromptRequest): void {
  checkTools(tools);
  if (messages[0]?.role !== "user") throw invalid('messages: first message must use the "user" role');
  let turn: Turn = { role: "user", asked: new Set(), open: new Set(), answered: new Set() };
  messages.forEach((message, index) => {
    if (message.role === "system") return;
    checkFilled(message, index, index === messages.length - 1);
    if (message.role !== turn.role) {
      requireAnswered(turn.open, index - 1);
      turn = { role: message.role, asked: new Set(), open: turn.asked, answered: new Set() };
    }
    blocksOf(message).forEach((block, at) => {
      checkBlock(turn, block, `messages.${index}.content.${at}`, index);
    });
  });
  const last = messages.length;
  requireAnswered(turn.open, last - 1);
  requireAnswered(turn.asked, last);
}

/** Neighbouring messages of one role. On a user's turn `open` holds the calls before it that have no result yet. */
interface Turn {
  readonly role: "user" | "assistant";
  readonly asked: Set<string>;
  readonly open: Set<string>;
  readonly answered: Set<string>;
}

function checkBlock(turn: Turn, block: Block, where: string, index: number): void {
  if (block.type === "tool_use") {
    if (turn.role === "user") throw invalid(`${where}: \`tool_use\` blocks can only be in \`assistant\` messages`);
    if (turn.asked.has(block.id)) throw invalid(`${where}: \`tool_use\` ids must be unique`);
    turn.asked.add(block.id);
  } else if (block.type === "tool_result") {
    if (turn.role === "assistant") throw invalid(`${where}: \`tool_result\` blocks can only be in \`user\` messages`);
    noteResult(turn, block.tool_use_id, where);
  } else {
    requireAnswered(turn.open, index);
  }
}

function checkTools(tools: PromptRequest["tools"]): void {
  const names = new Set<string>();
  tools?.forEach((tool, index) => {
    if (names.has(tool.name)) throw invalid("tools: Tool names must be unique.");
    names.add(tool.name);
    const custom = tool.type === undefined || tool.type === "custom";
    if (custom && !tool.input_schema) throw invalid(`tools.${index}.input_schema: Field required`);
  });
}

function checkFilled(message: Message, index: number, last: boolean): void {
  const prefill = last && message.role === "assistant";
  if (message.content.length === 0) {
    if (prefill) return;
    throw invalid(
      `messages.${index}: all messages must have non-empty content except for the optional final assistant message`,
    );
  }
  const blocks = blocksOf(message);
  for (const block of blocks) {
    if (block.type !== "text") continue;
    if (block.text === "") throw invalid("messages: text content blocks must be non-empty");
    if (!/\S/.test(block.text)) throw invalid("messages: text content blocks must contain non-whitespace text");
  }
  const end: Block | undefined = blocks.at(-1);
  if (prefill && end?.type === "text" && /\s$/.test(end.text)) {
    throw invalid("messages: final assistant content cannot end with trailing whitespace");
  }
}

function noteResult({ open, answered }: Turn, id: string, where: string): void {
  if (answered.has(id)) {
    throw invalid(
      `${where}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${id}`,
    );
  }
  if (!open.delete(id)) {
    throw invalid(
      `${where}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
    );
  }
  answered.add(id);
}

/** `index`: the message that should have answered. */
function requireAnswered(open: ReadonlySet<string>, index: number): void {
  if (open.size === 0) return;
  throw invalid(
    `messages.${index - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${[...open].join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
  );
}
