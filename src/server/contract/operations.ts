/**
 * Every operation that a person or a program can ask for, as one table: what it takes, what it answers, whether it only
 * reads. The control socket, the client, the HTTP API and the dashboard are made from it. Nothing here needs Node.
 *
 * Q1  Names are those of the verbs: one name in the library, the CLI, the API and here.
 * Q2  An operation that answers with `many` streams its items; memory does not grow with their number.
 * Q3  Inputs are strict: a field that is not known is refused.
 */
import { z } from "zod";
import { budget } from "../../agent/events.ts";
import { LIMITS } from "../../base/limits.ts";
import {
  agentDetail,
  artifactRow,
  artifactVersion,
  loggedEvent,
  processRow,
  standing,
  transcriptEntry,
} from "./agent.ts";
import { checkpointDetail, checkpointDiff, checkpointRow, keepPolicy, rotatedCheckpoint } from "./checkpoint.ts";
import { COST_GROUPS, costReport, fault, stats } from "./fleet.ts";
import { fleetFrame } from "./fleet-frames.ts";
import { changesPiece, historyAgents, moment } from "./history.ts";
import { overview } from "./overview.ts";
import { count, digest, mediaType, name, position, selector, seq, time } from "./shapes.ts";
import {
  archiveCheck,
  archivedRow,
  archiveOutcome,
  capacity,
  collectedArtifacts,
  restoredArchive,
  scrubbedArtifacts,
} from "./stored.ts";
import { treeRow } from "./tree.ts";

interface Shape<Does extends string, Answers extends string, Input extends z.ZodType, Output extends z.ZodType> {
  /** `read` changes nothing; a `command` is durable when it is answered. */
  readonly does: Does;
  /** `one` answer, or `many` items in a stream. */
  readonly answers: Answers;
  readonly says: string;
  readonly input: Input;
  /** Of the answer, or of each item. */
  readonly output: Output;
}

function shape<Does extends "read" | "command", Answers extends "one" | "many">(does: Does, answers: Answers) {
  return <Fields extends z.ZodRawShape, Output extends z.ZodType>(
    says: string,
    fields: Fields,
    output: Output,
  ): Shape<Does, Answers, z.ZodObject<Fields, z.core.$strict>, Output> => ({
    does,
    answers,
    says,
    input: z.strictObject(fields),
    output,
  });
}

const readOne = shape("read", "one");
const readMany = shape("read", "many");
const command = shape("command", "one");

const checkpointName = z.string().min(1).max(256);
/** An event's sequence, or the name of a checkpoint. */
const restorePoint = z.union([seq, checkpointName]);
const reason = z.string().max(4_096).optional();

export const OPERATIONS = {
  tree: readMany(
    "Agents as rows, parents before their children: one subtree, or all trees.",
    { agent: selector.optional() },
    treeRow,
  ),
  overview: readOne(
    "What a screen of so many lines shows of a tree, or of all trees, of any size; what is left out is counted.",
    { agent: selector.optional(), lines: z.int().positive().max(LIMITS.overviewLinesMax) },
    overview,
  ),
  fleet: readMany(
    "All agents in columns, and when it follows, what changes of them ten times a second: for whoever shows a whole fleet.",
    { follow: z.boolean().optional() },
    fleetFrame,
  ),
  agent: readOne("One agent in detail.", { agent: selector }, agentDetail),
  logs: readMany(
    "Events in the order in which they became durable: of one agent, of a subtree, or of all.",
    {
      agent: selector.optional(),
      /** Those of all below the agent too. */
      subtree: z.boolean().optional(),
      /** Only events after this position. */
      from: position.optional(),
      /** Go on with new events as they become durable, until the agent has ended. */
      follow: z.boolean().optional(),
    },
    loggedEvent,
  ),
  messages: readMany(
    "The conversation of an agent, oldest first: now, or as it was after an event.",
    { agent: selector, at: seq.optional() },
    transcriptEntry,
  ),
  checkpoints: readMany(
    "Restore points of an agent that stand out: named ones, those at which forks begin, those at which it came to rest.",
    { agent: selector },
    checkpointRow,
  ),
  showCheckpoint: readOne(
    "An agent as it stood at a restore point.",
    { agent: selector, checkpoint: restorePoint },
    checkpointDetail,
  ),
  diffCheckpoints: readOne(
    "What happened to an agent between two of its restore points, the second being now when it is not given.",
    { agent: selector, from: restorePoint, to: restorePoint.optional() },
    checkpointDiff,
  ),
  artifacts: readMany(
    "Named outputs: of all agents, of one, or of a subtree.",
    { agent: selector.optional(), subtree: z.boolean().optional() },
    artifactRow,
  ),
  artifactVersions: readMany(
    "What the name of an artifact stood for over time; `artifact` has the bytes of each by digest.",
    { agent: selector.optional(), name },
    artifactVersion,
  ),
  artifact: readMany(
    "Bytes: of an artifact by agent and name, or of anything stored by its digest.",
    {
      /** The root, when there is only one and it is not said. */
      agent: selector.optional(),
      name: name.optional(),
      digest: digest.optional(),
      /** Bytes with `from <= offset < to`; all by default, checked against the digest. */
      from: count.optional(),
      to: count.optional(),
    },
    z.strictObject({ offset: count, base64: z.base64() }),
  ),
  processes: readMany(
    "Background processes: of all agents, of one, or of a subtree; those that run, or ended ones too.",
    { agent: selector.optional(), subtree: z.boolean().optional(), ended: z.boolean().optional() },
    processRow,
  ),
  cost: readOne(
    "What was spent, by agent, level, model or status: in a subtree, or in all trees.",
    { agent: selector.optional(), by: z.enum(COST_GROUPS).optional() },
    costReport,
  ),
  history: readMany(
    "How the status of every agent, or of some by their ids, changed from the beginning, and what rewinds took back: for a picture over time.",
    { agents: historyAgents.optional() },
    changesPiece,
  ),
  moment: readOne("How the whole fleet stood at a moment.", { at: time }, moment),
  archived: readMany("Trees whose history is in an archive.", {}, archivedRow),
  checkArchived: readOne("Reads all that is in archives again, and says what is not sound.", {}, archiveCheck),
  capacity: readOne(
    "How fast the data grows, by day and by tree, and in how many days the disk is full if it goes on so. Reads every record.",
    {},
    capacity,
  ),
  faults: readMany(
    "What went wrong beside the agents' own failures, oldest first: of one agent, or of all.",
    { agent: selector.optional() },
    fault,
  ),
  stats: readOne("How many agents there are, what they do, and what they lack.", {}, stats),

  spawn: command(
    "Begins a tree for a task over a folder of this machine; the same task and folder take up an unfinished one. `banyan up` does it.",
    {
      task: z.string().min(1).max(LIMITS.contentBytesMax),
      /** Absolute path of the folder that the agents see. */
      dir: z.string().min(1).max(4_096).startsWith("/"),
      driver: z.enum(["model", "claude"]).optional(),
      /** That of the process when it is not said. */
      model: z.string().min(1).max(256).optional(),
      instructions: z.string().max(LIMITS.contentBytesMax).optional(),
      outputTokensMax: z.int().positive().optional(),
      budget: budget.optional(),
      tenant: name.optional(),
      allowCommands: z.boolean().optional(),
      /** What stands in the folder is kept whenever tools have run. */
      keepFiles: z.boolean().optional(),
    },
    standing.extend({
      /** It was there already, and goes on. */
      resumed: z.boolean(),
      /** Where its answers come from, for people. */
      provider: z.string(),
    }),
  ),
  pause: command(
    "Sets a hold on a subtree: once answered, no model call starts in it, children spawned later included.",
    { agent: selector, reason, /** Calls in flight stop too. */ interrupt: z.boolean().optional() },
    standing,
  ),
  resume: command("Releases a hold, and has an interrupted agent go on.", { agent: selector }, standing),
  interrupt: command(
    "Stops the model call or the tools in flight and keeps what was said.",
    { agent: selector, subtree: z.boolean().optional() },
    standing.extend({ /** Agents that had something in flight. */ interrupted: count }),
  ),
  send: command(
    "Puts a message into an agent's inbox.",
    {
      agent: selector,
      text: z.string().min(1).max(LIMITS.contentBytesMax),
      /** A message repeated with the same id is delivered once. */ id: z.string().min(1).max(256).optional(),
    },
    standing,
  ),
  fork: command(
    "Makes a new agent with another's past, while that one runs on.",
    {
      agent: selector,
      at: restorePoint.optional(),
      subtree: z.boolean().optional(),
      as: z.enum(["sibling", "root"]).optional(),
      name: name.optional(),
      task: z.string().min(1).max(LIMITS.contentBytesMax).optional(),
      budget: budget.optional(),
    },
    standing.extend({ path: z.string() }),
  ),
  rewind: command(
    "Takes a conversation back to a restore point; 0 is before its first message.",
    {
      agent: selector,
      to: z.union([count, checkpointName]),
      /** The files in its folder go back too, if they were kept. */
      files: z.boolean().optional(),
    },
    standing,
  ),
  cancel: command("Ends a subtree.", { agent: selector, reason }, standing),
  checkpoint: command(
    "Names a restore point: the newest event, or one before.",
    {
      agent: selector,
      name: checkpointName,
      at: seq.optional(),
      /** It is never forgotten. */ pin: z.boolean().optional(),
      /** What stands in its folder now is kept with it. */ files: z.boolean().optional(),
    },
    standing.extend({ seq, checkpoint: checkpointName }),
  ),
  pinCheckpoint: command(
    "Has a restore point kept until it is unpinned; one without a name gets one.",
    { agent: selector, checkpoint: restorePoint },
    standing.extend({ checkpoint: checkpointName }),
  ),
  forgetCheckpoints: command(
    "Forgets named checkpoints that a policy does not keep; pinned ones, those at which forks begin and the newest sound one are kept.",
    {
      agent: selector,
      /** All below it too. */
      subtree: z.boolean().optional(),
      /** What is left out is as by default: 10 last, 24 hourly, 7 daily, 4 weekly, 6 monthly, none by age alone. */
      policy: keepPolicy.optional(),
      /** Forgets nothing, and says what it would. */
      dryRun: z.boolean().optional(),
    },
    standing.extend({ checkpoints: z.array(rotatedCheckpoint), kept: count, forgotten: count }),
  ),
  unpinCheckpoint: command(
    "Has a restore point kept no longer than others.",
    { agent: selector, checkpoint: restorePoint },
    standing.extend({ checkpoint: checkpointName }),
  ),
  answer: command(
    "Says what to do with a call that may not run without a person, or whose outcome is unknown.",
    { agent: selector, callId: z.string().min(1).max(256), decision: z.enum(["rerun", "report"]), reason },
    standing,
  ),
  linkArtifact: command(
    "Makes a link by which whoever has it may read one version of an artifact for a while, without a token. The agent's journal says who made it.",
    {
      agent: selector.optional(),
      name,
      /** How long it works; a day by default. */
      forMs: z.int().min(1_000).max(LIMITS.linkMsMax).optional(),
    },
    z.strictObject({
      /** At the server's own address. */
      path: z.string(),
      agent: z.string(),
      name: z.string(),
      digest,
      bytes: count,
      endTime: time,
    }),
  ),
  putArtifact: command(
    "Puts an artifact with an agent that has not ended, as one that it made, or as a new version of that; plain text if no media type is given. The agent's journal says who put it.",
    {
      agent: selector,
      name,
      base64: z.base64().max(Math.ceil(LIMITS.artifactPutBytesMax / 3) * 4),
      mediaType: mediaType.optional(),
    },
    z.strictObject({ agent: z.string(), name, digest, bytes: count, mediaType: z.string() }),
  ),
  revokeLinks: command(
    "Ends every link to an artifact that was made so far.",
    {},
    z.strictObject({ revoked: z.literal(true) }),
  ),
  archiveTrees: command(
    "Moves the history of trees that have ended out of the journal's database, to an archive from which it is read as before.",
    {
      /** A tree; without it all that have ended. */
      agent: selector.optional(),
      /** Only trees in which nothing has happened for so long. */
      idleMs: z.int().min(0).optional(),
      /** Folder on the machine of the process, or a bucket; the archive in the data folder by default. */
      place: z.string().min(1).max(4_096).optional(),
      /** Moves nothing, and says what it would. */
      dryRun: z.boolean().optional(),
      /** Gives the room back to the disk: the database is written anew, and agents wait for it. */
      shrink: z.boolean().optional(),
    },
    archiveOutcome,
  ),
  restoreArchived: command(
    "Moves the history of an archived tree back into the journal's database.",
    { agent: selector },
    restoredArchive,
  ),
  collectArtifacts: command(
    "Removes stored bytes that no journal refers to, and gives their room back, beside agents at work.",
    {
      /** What was put no longer ago is left alone; a day by default. */
      graceMs: z.int().min(LIMITS.collectGraceMsMin).optional(),
      /** Removes nothing, and says what it would. */
      dryRun: z.boolean().optional(),
    },
    collectedArtifacts,
  ),
  scrubArtifacts: command(
    "Reads all that is stored again and checks it; what is damaged or missing becomes a fault, and is mended from a backup where one is named.",
    {
      /** 32 MiB by default. */
      bytesPerSecond: z.int().positive().optional(),
      /** Folder of a backup on the machine of the process, or a bucket; its secret key when it is encrypted. */
      backup: z.string().min(1).max(4_096).optional(),
      identity: z.string().max(256).optional(),
    },
    scrubbedArtifacts,
  ),
  setBudget: command("Replaces the bounds of a subtree.", { agent: selector, budget }, standing),
  shutdown: command(
    "Has the process that runs the agents stop; what was in flight goes on at its next start.",
    {},
    z.strictObject({ pid: count }),
  ),
} as const;

export type OperationName = keyof typeof OPERATIONS;
type Operation<Name extends OperationName> = (typeof OPERATIONS)[Name];

/** What a caller gives. */
export type Input<Name extends OperationName> = z.input<Operation<Name>["input"]>;
/** The answer, or one item of it. */
export type Output<Name extends OperationName> = z.output<Operation<Name>["output"]>;
/** What a handler is given, once it is checked. */
export type Checked<Name extends OperationName> = z.output<Operation<Name>["input"]>;
export type ManyName = {
  [Name in OperationName]: Operation<Name>["answers"] extends "many" ? Name : never;
}[OperationName];
export type OneName = Exclude<OperationName, ManyName>;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

type Arguments<Given> =
  Record<string, never> extends Given ? [input?: Given, options?: CallOptions] : [input: Given, options?: CallOptions];

/** Items as they come; or, where there are few, all of them at once. */
export interface Items<Item> extends AsyncIterable<Item> {
  toArray(): Promise<Item[]>;
}

/** One method an operation, typed by the table. */
export type Operations = {
  [Name in OneName]: (...given: Arguments<Input<Name>>) => Promise<Output<Name>>;
} & {
  [Name in ManyName]: (...given: Arguments<Input<Name>>) => Items<Output<Name>>;
};

export function isOperation(text: unknown): text is OperationName {
  return typeof text === "string" && Object.hasOwn(OPERATIONS, text);
}
