/**
 * The part of the Claude Agent SDK that is used, as its version 0.3 types it. The package is proprietary and 400 MB with its
 * native program, so it is an optional peer: it is loaded when the first agent needs it, and these types stand in for its own.
 */
import { BanyanError } from "../../base/errors.ts";
import type { ForeignServer } from "./settings.ts";

export interface ClaudeSdk {
  query(parameters: { prompt: AsyncIterable<UserMessage>; options: QueryOptions }): Query;
}

export interface Query extends AsyncIterable<SdkMessage> {
  /** Asks the program itself. */
  mcpServerStatus(): Promise<unknown>;
  close(): void;
}

export interface UserMessage {
  type: "user";
  message: { role: "user"; content: { type: "text"; text: string }[] };
  parent_tool_use_id: null;
  session_id: string;
  /** Delivered as it is: no slash commands, no `@path`. */
  client_composed: true;
}

/** What is looked at of the messages that the SDK yields. */
export interface SdkMessage {
  readonly type: string;
  readonly message?: { readonly content?: unknown };
}

export interface HookInput {
  readonly tool_name?: string;
  readonly tool_use_id?: string;
  readonly tool_input?: Record<string, unknown>;
}
type HookAnswer = {
  hookSpecificOutput?: {
    hookEventName: string;
    permissionDecision?: string;
    permissionDecisionReason?: string;
    updatedInput?: Record<string, unknown>;
  };
};
interface HookMatcher {
  /** Seconds. */
  timeout: number;
  hooks: ((input: HookInput) => Promise<HookAnswer>)[];
}

export type Permission =
  | { behavior: "allow"; updatedInput: Record<string, unknown> }
  | { behavior: "deny"; message: string };

export interface PermissionAsked {
  readonly toolUseID: string;
  /** Why it asks. */
  readonly decisionReason?: string;
}

export interface QueryOptions {
  cwd: string;
  model: string;
  systemPrompt: string;
  extraArgs: Record<string, string>;
  tools: string[];
  permissionMode: "acceptEdits";
  settingSources: ("project" | "local")[];
  settings?: { env: Record<string, string> };
  strictMcpConfig: true;
  mcpServersDelivery: "initialize";
  mcpServers: Record<string, { type: "sdk"; name: string; instance: McpServer } | ForeignServer>;
  env: Record<string, string>;
  hooks: Record<"PreToolUse" | "PostToolBatch", HookMatcher[]>;
  canUseTool(name: string, input: Record<string, unknown>, asked: PermissionAsked): Promise<Permission>;
  stderr(text: string): void;
  spawnClaudeCodeProcess(launch: Launch): unknown;
  resume?: string;
  sessionStore?: { append(): Promise<void>; load(): Promise<TranscriptEntry[]> };
}

export interface Launch {
  readonly command: string;
  readonly args: string[];
  readonly cwd?: string;
  readonly env: Record<string, string | undefined>;
}

/** One line of a session's transcript. */
export interface TranscriptEntry {
  type: string;
  uuid: string;
  timestamp: string;
  [field: string]: unknown;
}

/** What the SDK needs of an MCP server in this process. */
export interface McpServer {
  connect(transport: McpTransport): Promise<void>;
  close(): Promise<void>;
}
export interface McpTransport {
  onmessage?: (message: McpMessage) => void;
  start(): Promise<void>;
  send(message: object): Promise<void>;
}
export interface McpMessage {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
}

const PACKAGE = "@anthropic-ai/claude-agent-sdk";

/** @throws DEPENDENCY_MISSING */
export async function loadSdk(): Promise<ClaudeSdk> {
  findSdk();
  return (await import(PACKAGE)) as ClaudeSdk;
}

/** @throws DEPENDENCY_MISSING */
export function findSdk(): void {
  try {
    import.meta.resolve(PACKAGE);
  } catch (cause) {
    const message = `agents of Claude Code need the package ${PACKAGE}: npm install ${PACKAGE}`;
    throw new BanyanError("DEPENDENCY_MISSING", message, { cause });
  }
}
