/**
 * What a Claude Code is given only when its tenant's operator asks for it: settings and memory that stand in its folder, MCP servers that Banyan
 * does not run, and variables of Banyan's own environment. Without being asked for there are none.
 */
import { z } from "zod";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { SERVER } from "./mcp-tools.ts";

export interface ClaudeSettings {
  /**
   * Files of the agent's folder that it reads: `project` is .claude/settings.json and CLAUDE.md, `local` .claude/settings.local.json. What
   * they say (hooks too) is done with the agent's rights: ask for them only where whoever writes the folder is trusted.
   */
  readonly files?: readonly ("project" | "local")[];
  /** MCP servers by name: programs that each Claude Code starts for itself, or addresses. Their tools run ungated by any folder. */
  readonly mcpServers?: Readonly<Record<string, McpServerSettings>>;
  /** Names of variables that are passed on from Banyan's own environment, beside PATH, LANG, LC_ALL, LC_CTYPE and TZ. */
  readonly pass?: readonly string[];
}

export type McpServerSettings =
  /** A program and its arguments; no shell reads them. */
  | { readonly argv: readonly [string, ...string[]]; readonly environment?: Readonly<Record<string, string>> }
  | { readonly url: string; readonly headers?: Readonly<Record<string, string>> };

const word = z
  .string()
  .min(1)
  .max(LIMITS.commandArgumentLengthMax)
  .refine((text) => !text.includes("\0"), "it has a NUL");
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, "not the name of a variable");
const serverName = z
  .string()
  .regex(/^[A-Za-z0-9-]+(?:_[A-Za-z0-9-]+)*$/, "letters, digits, dashes and single underscores")
  .max(64)
  .refine((name) => name !== SERVER, `${SERVER} is Banyan's own`);

const schema = z.strictObject({
  files: z
    .array(z.enum(["project", "local"]))
    .max(2)
    .default([]),
  mcpServers: z
    .record(
      serverName,
      z.union([
        z.strictObject({
          argv: z.tuple([word], z.string().max(LIMITS.commandArgumentLengthMax)),
          environment: z.record(variable, z.string()).default({}),
        }),
        z.strictObject({
          url: z.url({ protocol: /^https?$/ }),
          headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string()).default({}),
        }),
      ]),
    )
    .default({}),
  pass: z
    .array(variable.refine((name) => !OURS.test(name), "it is Banyan's to set"))
    .max(256)
    .default([]),
});

/** What lets Claude Code speak to somebody else than the gateway, or find another home. */
const OURS = /^(ANTHROPIC_|CLAUDE_|AWS_BEARER|BANYAN_|HOME$|TMPDIR$|NODE_OPTIONS$)/i;

export type Asked = z.infer<typeof schema>;

/** @throws CONFIG_INVALID */
export function checkSettings(settings: ClaudeSettings, tenant: string): Asked {
  const parsed = schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new BanyanError(
    "CONFIG_INVALID",
    `the settings of Claude Code for the tenant ${tenant}: ${z.prettifyError(parsed.error)}`,
  );
}

export type ForeignServer =
  | { type: "stdio"; command: string; args: string[]; env: Record<string, string> }
  | { type: "http"; url: string; headers: Record<string, string> };

/** As the SDK takes them. */
export function foreignServers({ mcpServers }: Asked): Record<string, ForeignServer> {
  const servers = Object.entries(mcpServers).map(([name, server]): [string, ForeignServer] => {
    if ("url" in server) return [name, { type: "http", ...server }];
    const [command, ...args] = server.argv;
    return [name, { type: "stdio", command, args, env: server.environment }];
  });
  return Object.fromEntries(servers);
}

/** True for a tool of one of these servers. */
export function isForeign(tool: string, { mcpServers }: Asked): boolean {
  return Object.keys(mcpServers).some((name) => tool.startsWith(`mcp__${name}__`));
}
