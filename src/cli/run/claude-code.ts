/** Claude Code for `banyan run --driver claude`. It works with a real account: the provider simulator does not know its tools. */
import { BanyanError } from "../../base/errors.ts";
import { claude } from "../../runtime/claude.ts";
import type { Source } from "./model.ts";

interface Choice {
  readonly model: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly dir: string;
  readonly allowCommands: boolean;
}

/** @throws CONFIG_INVALID without a key */
export function claudeCode({ model, environment, dir, allowCommands }: Choice): Source {
  if (!environment.ANTHROPIC_API_KEY)
    throw new BanyanError("CONFIG_INVALID", "agents of Claude Code need a key: set ANTHROPIC_API_KEY");
  const { ANTHROPIC_BASE_URL: baseUrl } = environment;
  const tools = [...FILE_TOOLS, ...(allowCommands ? (["Bash"] as const) : [])];
  return {
    driver: claude({ model, tools, folder: dir }),
    provider: `Claude Code, with ${baseUrl ? `the Messages API at ${new URL(baseUrl).host}` : "Anthropic"}`,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const FILE_TOOLS = ["Read", "Glob", "Grep", "Edit", "Write"] as const;
