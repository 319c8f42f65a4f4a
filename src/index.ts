/** The library. Everything that the CLI and the dashboard can do is a method here, with the same name. */
export type { AgentEvent, ArtifactReference, Budget, Failure } from "./agent/events.ts";
export type { Entry, Head } from "./agent/state.ts";
export type { Status } from "./agent/status.ts";
export type { Price, Usage } from "./agent/usage.ts";
export { BanyanError, type ErrorCode } from "./base/errors.ts";
export type { ForkOptions } from "./coordinator/fork.ts";
export type { Recovery } from "./coordinator/recovery.ts";
export { Agent, type Checkpoint, type FollowOptions, type Result } from "./runtime/agent.ts";
export { Banyan, type BanyanOptions } from "./runtime/banyan.ts";
export { type ClaudeAgent, type ClaudeAgentOptions, type ClaudeTool, claude } from "./runtime/claude.ts";
export type { FollowedEvent } from "./runtime/events.ts";
export type { SpawnOptions } from "./runtime/spawn-options.ts";
export { defineTool } from "./tools/define.ts";
export { artifacts, commands, files, type Kit, messaging, processes, spawning } from "./tools/kits.ts";
export type { Tool, ToolContext } from "./tools/tool.ts";
