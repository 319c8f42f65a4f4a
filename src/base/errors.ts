/**
 * The registry of errors: code, HTTP status, CLI exit code, whether a retry may help, and the remedy. API problem
 * bodies, CLI exit codes and docs/errors.md all come from this table. Errors are told apart by code, never by text.
 */

interface ErrorKind {
  readonly status: number;
  readonly exit: number;
  readonly retryable: boolean;
  readonly means: string;
  readonly remedy: string;
}

const kind = (status: number, exit: number, retryable: boolean, means: string, remedy: string): ErrorKind => ({
  status,
  exit,
  retryable,
  means,
  remedy,
});

// biome-ignore format: a table, one error a row
/** Exit codes: 1 the work failed, 2 bad usage, 3 not found, 4 refused in this state, 5 damaged data, 6 limits and budget, 7 provider, 70 a bug. */
export const ERRORS = {
  AGENT_AMBIGUOUS: kind(400, 2, false, "Several agents go by that name.", "Say which one by its id or its path of names; the message lists them."),
  AGENT_CANCELLED: kind(409, 1, false, "The agent was cancelled.", "Rewind it to a checkpoint, or start again."),
  AGENT_ENDED: kind(409, 4, false, "The agent has ended.", "Rewind it to a checkpoint, fork it, or send it a message to go on."),
  AGENT_FAILED: kind(500, 1, false, "The agent failed.", "Look at `banyan logs` for the reason, then rewind or fork it."),
  AGENT_NOT_FOUND: kind(404, 3, false, "No agent of that id or name.", "List the agents with `banyan tree`."),
  ARTIFACT_NOT_FOUND: kind(404, 3, false, "No artifact of that name.", "List them with `banyan artifact`."),
  BACKUP_STOPPED: kind(503, 5, true, "The backup that is kept beside the agents stopped.", "The message says why. It is begun again by itself; `banyan backup status` says how far behind it is."),
  BLOB_DAMAGED: kind(500, 5, false, "A blob's bytes do not match its digest.", "Restore it from a backup; `banyan verify` lists what is damaged."),
  BLOB_NOT_FOUND: kind(404, 5, false, "A blob is missing.", "Restore it from a backup; `banyan verify` lists what is missing."),
  BUDGET_EXHAUSTED: kind(402, 6, false, "The next call's worst case does not fit what is left of a budget.", "Raise the budget and resume, or let the agent end."),
  CALL_NOT_FOUND: kind(404, 3, false, "No open tool call of that id.", "Look at the agent's open calls with `banyan logs`."),
  CHECKPOINT_NOT_FOUND: kind(404, 3, false, "No checkpoint of that name or sequence.", "List the agent's messages with `banyan logs`."),
  COMMAND_REFUSED: kind(403, 4, false, "Commands are not allowed in this tree.", "Allow them for the tree when it is spawned."),
  CONFIG_INVALID: kind(400, 2, false, "A setting is unknown or out of range.", "Correct it; the message names the setting and its range."),
  CONTENT_TOO_LARGE: kind(413, 6, false, "A text, file or result is over its limit.", "Send less, or pass it by reference as an artifact."),
  DATA_IN_USE: kind(409, 4, true, "Another process runs on this data directory.", "Command it: `banyan tree`, `pause` and the others reach it. Or stop it; if it stands still, kill it: nothing acknowledged is lost."),
  DATA_NOT_FOUND: kind(404, 3, false, "There is no Banyan data at that path.", "Give the folder that `banyan run` printed, with --data."),
  DEPENDENCY_MISSING: kind(500, 2, false, "An optional package is not installed.", "Install the package that the message names."),
  DISK_FAILED: kind(507, 5, true, "The disk refused a write or a sync, or the object store that holds the blobs a request.", "Free space or mend the disk or the store, as the message says: work goes on by itself then, and nothing acknowledged is lost."),
  EVENT_INVALID: kind(500, 5, false, "A record is whole but is no event of a known version.", "Open the data with the Banyan version that wrote it, or a newer one."),
  ID_INVALID: kind(400, 2, false, "The text is not an id.", "Ids are 26 characters, as `banyan tree` prints them."),
  INPUT_INVALID: kind(400, 2, false, "The input does not have the form asked for.", "Correct the field that the message names."),
  INTERNAL: kind(500, 70, false, "A bug in Banyan.", "Report it with the message and the journal."),
  INTERRUPTED: kind(409, 4, true, "The work was interrupted.", "Send a message or resume to go on."),
  JOURNAL_CONFLICT: kind(409, 4, true, "Another writer appended first, or this writer is stale.", "Read the journal again; only one process may own an agent."),
  JOURNAL_DAMAGED: kind(500, 5, false, "A record does not match its checksum or its chain.", "Restore it from a backup; what stands before it is sound."),
  LEVELS_EXCEEDED: kind(429, 6, false, "The agent would be deeper than the tree's limit.", "Do the work at this level, or raise the limit."),
  LINK_REFUSED: kind(403, 4, false, "The link to an artifact has expired, was revoked, or was changed.", "Ask for a new one: `banyan artifact link`."),
  MODEL_FAILED: kind(502, 7, false, "The provider refused the call for good.", "Read the provider's message; check the key, the model and the request."),
  MODEL_GARBLED: kind(502, 7, true, "The provider's answer broke off or made no sense.", "It is tried again by itself, up to the limit of attempts."),
  MODEL_OVERLOADED: kind(503, 7, true, "The provider is overloaded or out of reach.", "It is tried again by itself."),
  MODEL_RATE_LIMITED: kind(429, 7, true, "The provider's rate limit was reached.", "It is tried again by itself when the provider says so."),
  MODEL_UNRESOLVED: kind(409, 4, true, "No model of that name is registered in this process.", "Open with the model in `models`; the agent goes on then."),
  NAME_INVALID: kind(400, 2, false, "The name has characters or a length that are not allowed.", "Use 1 to 64 letters, digits, dots, dashes and underscores."),
  NOT_HELD: kind(409, 4, false, "The agent has no hold of its own.", "A hold is released where it was set; `banyan tree` shows where."),
  NOT_RUNNING: kind(409, 4, true, "No process runs on this data.", "Start one: everything goes on where it was."),
  OBJECT_NOT_FOUND: kind(404, 3, false, "No object of that key in the object store.", "Look at the bucket's own list of objects, and at the settings that name it."),
  ORIGIN_REFUSED: kind(403, 4, false, "The request names a host or an origin that is not this server's.", "Ask at the address that `banyan up` printed; pages of other sites may not ask at all."),
  OUT_OF_ROOT: kind(403, 4, false, "The path leads out of the folder the tool may see.", "Give a path inside it; links are not followed out of it."),
  PARENT_ENDED: kind(409, 4, false, "The agent's parent has ended, so it cannot run.", "Rewind the parent, or fork this agent as a new root."),
  POOL_EXHAUSTED: kind(503, 6, true, "No session came free within the longest wait.", "Give sessions more memory (`poolMemoryBytes`) or fewer agents to serve; then send the agent a message, or rewind it."),
  PRICE_UNKNOWN: kind(400, 2, false, "A budget is set, and the model's price is not known.", "Give its price when the agent is spawned."),
  PROCESSES_NONE: kind(409, 4, false, "This runtime starts no background processes.", "Give the task to a runtime on a machine that may start programs."),
  PROCESS_NOT_FOUND: kind(404, 3, false, "The agent has no such background process.", "List them with `banyan ps`, or the tool list_processes."),
  QUOTA_EXCEEDED: kind(413, 6, false, "The artifacts of a tree or of a tenant would take more room than they may.", "Raise `treeArtifactBytesMax` or `tenantArtifactBytesMax`, or write less; nothing that is there is lost."),
  READER_BEHIND: kind(429, 6, true, "A reader was too slow to follow live.", "Read on from the position that the message names, with `banyan logs --from`."),
  REPLAY_MISMATCH: kind(409, 1, false, "What was sent is not what was recorded.", "The message names the first difference."),
  REQUESTS_EXCEEDED: kind(429, 6, true, "More requests or streams than one token may have.", "Ask less often, or follow one stream instead of asking again."),
  ROLE_REFUSED: kind(403, 4, false, "The token's role does not allow that.", "Ask an admin for a token of a higher role: `banyan token create`."),
  SANDBOX_NONE: kind(409, 2, false, "A sandbox was asked for and cannot be had.", "Install bubblewrap (Debian: `apt-get install bubblewrap`) and let it make namespaces, or ask for no sandbox."),
  SERVER_UNREACHABLE: kind(503, 7, true, "No server answers at that address.", "Look at the address, and whether `banyan up` runs there."),
  SHUTTING_DOWN: kind(503, 4, true, "The runtime is stopping.", "Start it again: everything goes on where it was."),
  SNAPSHOT_DAMAGED: kind(500, 5, true, "A snapshot cannot be used.", "Nothing: the agent is folded from its journal instead. Look after the disk."),
  STORE_DENIED: kind(403, 4, false, "The object store refused the credentials, or what they may do.", "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the region, the bucket's policy and the machine's clock."),
  STORE_FAILED: kind(503, 5, true, "The object store is out of reach, or refused a request.", "Look at the store's own state; the message has its status and code."),
  THROTTLED: kind(429, 6, true, "More forks or spawns were asked for than the rate lets through in time.", "Ask for fewer at once, or raise `forksPerMinute` or `spawnsPerMinute`; `banyan doctor` shows who waits."),
  TIMED_OUT: kind(504, 1, true, "The work did not end within its time limit.", "Raise the limit, or ask for less."),
  TOKEN_NOT_FOUND: kind(404, 3, false, "No token of that name.", "List them with `banyan token ls`."),
  TOKEN_REFUSED: kind(401, 4, false, "There is no token, or one that is unknown, expired or revoked.", "Send `Authorization: Bearer` with the token that `banyan up` printed, or one of `banyan token create`."),
  TOOL_FAILED: kind(500, 1, false, "A tool could not do what it was asked.", "The message says why; the agent sees it too."),
  TOOL_UNKNOWN: kind(404, 3, false, "The agent has no tool of that name.", "Use one of the tools that the agent was given."),
  TREE_FULL: kind(429, 6, true, "The tree has as many living agents as it may have.", "Wait until some have ended, or raise `treeLiveMax`."),
  TURNS_EXCEEDED: kind(429, 6, false, "The agent reached its limit of turns.", "Raise the limit, or fork it from a checkpoint."),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** Every failure that Banyan reports. `agent` is the id of the agent it happened to, where there is one. */
export class BanyanError extends Error {
  readonly code: ErrorCode;
  readonly agent: string | undefined;

  constructor(code: ErrorCode, message: string, options: { agent?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BanyanError";
    this.code = code;
    this.agent = options.agent;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  get remedy(): string {
    return ERRORS[this.code].remedy;
  }

  toJSON(): { code: ErrorCode; message: string; agent?: string; remedy: string } {
    return { code: this.code, message: this.message, ...(this.agent && { agent: this.agent }), remedy: this.remedy };
  }
}

/** The error itself when it is ours, otherwise an INTERNAL one that keeps it as its cause. */
export function asBanyanError(error: unknown, fallback: ErrorCode = "INTERNAL"): BanyanError {
  if (error instanceof BanyanError) return error;
  return new BanyanError(fallback, error instanceof Error ? error.message : String(error), { cause: error });
}
