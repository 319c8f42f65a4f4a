/**
 * Banyan's own tools as Claude Code sees them: an MCP server in this process that shows them exactly as the journal holds them.
 * It carries nothing out. The coordinator runs a call like any other, and what became of it is the answer.
 */
import type { ToolDefinition } from "../model/provider-model.ts";
import type { McpMessage, McpServer, McpTransport } from "./sdk.ts";

export const SERVER = "banyan";
const PREFIX = `mcp__${SERVER}__`;

/** As the model names it, and back. */
export const toModelName = (tool: string) => `${PREFIX}${tool}`;
export const toOwnName = (name: string) => (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name);

export interface ToolText {
  readonly text: string;
  readonly isError: boolean;
}

type Answer = (callId: string) => Promise<ToolText>;

export function mcpTools(tools: readonly ToolDefinition[], answer: Answer): McpServer {
  return {
    async connect(transport) {
      transport.onmessage = (message) => void respond(transport, message, tools, answer);
      await transport.start();
    },
    async close() {},
  };
}

async function respond(transport: McpTransport, message: McpMessage, tools: readonly ToolDefinition[], answer: Answer) {
  const { id, method, params } = message;
  if (id === undefined || method === undefined) return;
  const reply = await resultOf(method, params ?? {}, tools, answer);
  // The program may have gone while the call was carried out.
  await transport.send({ jsonrpc: "2.0", id, ...reply }).catch(() => undefined);
}

async function resultOf(
  method: string,
  params: Record<string, unknown>,
  tools: readonly ToolDefinition[],
  answer: Answer,
): Promise<object> {
  switch (method) {
    case "initialize":
      return {
        result: {
          protocolVersion: params.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: SERVER, version: "1" },
        },
      };
    case "ping":
      return { result: {} };
    case "tools/list":
      return {
        result: {
          tools: tools.map(({ name, description, inputSchema }) => ({
            name,
            description,
            inputSchema,
            _meta: { "anthropic/alwaysLoad": true },
          })),
        },
      };
    case "tools/call": {
      const meta = params._meta as Record<string, unknown> | undefined;
      const { text, isError } = await answer(String(meta?.["claudecode/toolUseId"]));
      return { result: { content: [{ type: "text", text }], isError } };
    }
    default:
      return { error: { code: -32601, message: `no method ${method}` } };
  }
}
