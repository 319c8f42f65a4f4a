/**
 * Every bound in one place. Nothing in Banyan grows without one. Relations between bounds are asserted below, when
 * this file is loaded.
 */
import { assert } from "./assert.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

export const LIMITS = {
  /** Content over this many UTF-8 bytes goes to blobs; the event holds its digest, size and head. */
  inlineBytesMax: 8 * KiB,
  /** Bytes of a tool result that the model sees when the whole went to a blob. */
  headBytesMax: 2 * KiB,
  /** Texts from blobs kept in memory, at two bytes a character. */
  textCacheBytesMax: 32 * MiB,
  /** One journal record, serialised. */
  recordBytesMax: 1 * MiB,
  /** One message, tool result or artifact written by a tool. */
  contentBytesMax: 64 * MiB,
  /** Files that the blobs of one process have open at once to write, and as many again to read; the others wait. */
  blobFilesMax: 64,
  /** Largest blob that is kept in one piece; chunks of a larger one; and bytes of a pack, after which the next one begins. */
  blobWholeBytesMax: 256 * KiB,
  blobChunksMax: 1_000_000,
  blobPackBytesMax: 64 * MiB,
  /** Packs that are kept open to read, and what is written to one at a time: bytes, and records. */
  blobPacksOpenMax: 32,
  blobBatchBytesMax: 8 * MiB,
  blobBatchRecordsMax: 1_024,
  /**
   * Time for which a digest may be remembered before its bytes are put again; shortest and usual age of what a collection removes. Bytes
   * that it moves in a second, and its longest turn at the event loop.
   */
  blobRememberedMsMax: 3_600_000,
  collectGraceMsMin: 7_200_000,
  collectGraceMsDefault: 86_400_000,
  collectBytesPerSecondMax: 64 * MiB,
  collectBusyMsMax: 5,
  /** For so long a bucket's blobs remember what was put, and no longer grace is possible; and removals that they ask for at once. */
  collectRememberedMs: 7 * 86_400_000,
  collectRequestsMax: 8,
  /** Bytes that a scrub reads in a second where it is not said, and damaged or missing blobs that it names. */
  scrubBytesPerSecondDefault: 32 * MiB,
  scrubNamedMax: 1_000,
  /** Days over which growth is measured, and trees that are named. */
  capacityDaysMax: 7,
  capacityTreesMax: 1_000,
  /** Blobs that a process remembers to have written or checked: a further put of one looks at its size alone. */
  blobsTrustedMax: 10_000,
  /** What is sent to an object store, or read from it, in one piece. At least 5 MiB, which S3 asks of a part. */
  objectPartBytesMax: 8 * MiB,
  /** Parts of one object; S3's own bound. */
  objectPartsMax: 10_000,
  /** From this size on a look whether a blob is in the object store costs less than to send it. */
  objectLookBytesMin: 256 * KiB,
  /** Requests to an object store at once. */
  objectRequestsMax: 32,
  /** One request, and how often it is tried. The wait in between doubles. */
  objectRequestMsMax: 60_000,
  objectAttemptsMax: 6,
  objectRetryMsMin: 100,
  objectRetryMsMax: 5_000,
  /** Events in one append. */
  appendEventsMax: 1_000,
  /** Records that the journal's writer commits at once. */
  commitRecordsMax: 4_096,
  /** Bytes of one append to the journal, and of all that its writer commits at once. */
  commitBytesMax: 64 * MiB,
  /** Events read from the journal at a time. */
  readEventsMax: 1_000,

  /** Characters of an agent's or artifact's name. */
  nameLengthMax: 64,
  /** Levels of a tree, the root being level 0. A spawn below is refused: waiting could never grant it. */
  levelsMax: 128,
  /** Living children of one agent; a further one waits in the queue. */
  childrenLiveMax: 64,
  /** Children that one agent may have had. */
  childrenTotalMax: 10_000,
  /** Agents of one tree. */
  treeAgentsMax: 100_000,
  /** Agents that run (call a model or a tool) at once in one process; the rest queue, fairly by tree. */
  runningMax: 256,
  /** Levels and living agents of one tree, where it is not said. */
  levelsDefault: 32,
  treeLiveDefault: 2_000,
  /** Forks in one tree a minute, where it is not said; further ones wait. */
  forksPerMinuteDefault: 30,
  /** Longest wait of a fork or spawn for its turn, and how many may wait. */
  throttleWaitMsMax: 3_600_000,
  throttleWaitingMax: 10_000,
  /** Families of models that metrics name; what there is of further ones is summed up under `other`. */
  metricFamiliesMax: 32,
  /** Steps of a chain of forks of forks. */
  forkChainMax: 10_000,
  /** Living agents of a subtree whose ends `cancel` waits for; of a larger one it waits for the top's alone. */
  cancelAwaitedMax: 1_000,
  /** Messages waiting in one agent's inbox. */
  inboxMessagesMax: 10_000,
  /** Message ids that an agent remembers to drop a message delivered twice. */
  inboxIdsMax: 1_024,
  /** Named checkpoints of one agent. */
  checkpointsMax: 1_000,
  /** Entries of a work tree that is kept, bytes of them together, and of one file; larger files are left out. */
  workTreeFilesMax: 10_000,
  workTreeBytesMax: 1_024 * MiB,
  workTreeFileBytesMax: 16 * MiB,
  /** Folders in folders of a work tree, and the size of a file of rules what to ignore. */
  workTreeDepthMax: 128,
  ignoreFileBytesMax: 1 * MiB,
  /** Work trees of which a process remembers what it has read. */
  workTreesKnownMax: 64,
  /** Messages, and changed files, that a comparison of two checkpoints tells of. */
  diffMessagesMax: 1_000,
  /** Artifacts of one agent: its report to its parent names them all. */
  artifactsMax: 1_000,

  /** Turns of one agent. */
  turnsMax: 100_000,
  /** Tool calls of one turn. */
  turnCallsMax: 256,
  /** Attempts at one turn before the agent fails, rate limits, overload and outages not counted. */
  turnAttemptsMax: 6,
  /** Attempts at one turn that the provider put off (rate limit, overload, out of reach) before the agent fails: some 8 hours. */
  turnPutOffMax: 1_000,
  /** First and longest wait before a turn is tried again, when the provider does not say. */
  retryMsMin: 500,
  retryMsMax: 60_000,
  /** Longest wait that a provider may ask for; after it the call is tried, and put off again if it must. */
  putOffMsMax: 3_600_000,
  /** Calls in a row that found a provider overloaded or out of reach before its breaker opens, and for how long it does at first. */
  breakerFailuresMax: 5,
  breakerMsMin: 1_000,
  /** Longest that one agent's 429 holds all agents of its provider back; it alone waits as long as it was told. */
  governorHoldMsMax: 60_000,
  /** Calls in flight to one provider over which their number is bound no more. */
  governorCallsMax: 1_000,
  /** An agent that waited so long for room at its provider is journaled as waiting for a rate limit. */
  governorShownMs: 1_000,
  /** Calls to one provider that may be made again: so many at once, so many a second, and so many for a hundred that were answered at once. */
  retriesSavedMax: 100,
  retriesPerSecondMax: 10,
  retryPercentMax: 20,
  /** After a store failed, an agent tries to go on. */
  diskRetryMs: 1_000,
  /** Silence of a provider's stream after which the call counts as broken. */
  streamSilenceMsMax: 120_000,
  /** Output tokens asked for when the agent does not say. */
  outputTokensDefault: 8_192,

  /** One tool call, unless the tool says otherwise. */
  toolMsMax: 600_000,
  /** Lines and bytes that one read_file or read_artifact answers with. */
  readLinesMax: 2_000,
  readBytesMax: 7.5 * KiB,
  /** Characters of a path that a tool is given. */
  pathLengthMax: 4_096,
  /** Entries that one list_files answers with, and those of a folder that can be listed at all. */
  listEntriesMax: 1_000,
  folderEntriesMax: 100_000,
  /** Matches that one search_files answers with, and bytes of a file it looks into. */
  searchMatchesMax: 200,
  searchFileBytesMax: 4 * MiB,
  /** Folders and files that one search_files visits. */
  searchFilesMax: 20_000,
  /** Time of one search_files. */
  searchMsMax: 120_000,
  /** Characters of a pattern, and steps of the program it compiles to: a match takes at most steps x characters. */
  searchPatternLengthMax: 1_000,
  searchPatternStepsMax: 500,
  /** Characters of a line that are searched, and those of a match that are shown. */
  searchLineLengthMax: 16 * KiB,
  searchShownLengthMax: 200,
  /** Arguments of one command, and characters of each. */
  commandArgumentsMax: 1_000,
  commandArgumentLengthMax: 64 * KiB,
  /** Output after which a command is ended, output kept of it, and its default and longest time. */
  commandOutputBytesMax: 64 * MiB,
  commandBytesMax: 1 * MiB,
  commandMsDefault: 60_000,
  commandMsMax: 600_000,

  /** Background processes of one agent that run at once, and those that it remembers. */
  processesLiveMax: 32,
  processesKeptMax: 128,
  /** Output of one run of a process after which it is ended; it is kept whole. Of it in memory: the newest. */
  processOutputBytesMax: 64 * MiB,
  processRingBytesMax: 256 * KiB,
  /** Time between two writes of a run's output to the file that outlives the host. */
  processDraftMs: 100,
  /** Resident memory of a process and its group, unless its start says otherwise. */
  processMemoryBytesDefault: 2 * 1024 * MiB,
  /** Longest time that a process's policy may name: 7 days. */
  processMsMax: 604_800_000,
  processProbesMax: 8,
  /** Restarts within a time after which a process is given up, unless its start says otherwise. */
  processRestartsDefault: 3,
  processWithinMsDefault: 60_000,
  /** First and longest wait before a process is started again. */
  processBackoffMsMin: 100,
  processBackoffMsMax: 30_000,
  /** Between two looks of the supervisor, and how late a look may come and still judge by silence. */
  superviseMs: 50,
  superviseLateMs: 100,
  /** Silence of a heartbeat after which a process counts as hung; no probe may ask for less. */
  heartbeatMsMax: 400,
  /** Between two looks at the memory of processes. */
  processMemoryMs: 500,
  /** Text written to a process at a time. */
  processInputBytesMax: 1 * MiB,

  /** Bytes that the sessions of a process may take where it is not said, and those that the machine keeps free beside them. */
  poolMemoryBytesDefault: 4 * 1024 * MiB,
  poolSpareBytesMin: 512 * MiB,
  /** Sessions that start at once where it is not said: as many as there are cores. */
  poolStartsDefault: 2,
  /** Longest wait of an agent for a session, after which it fails. */
  poolWaitMsMax: 3_600_000,
  /** A session that nobody uses is closed after so long; and once it is so old, less up to a half by chance. */
  poolIdleMsMax: 600_000,
  poolAgeMsMax: 1_800_000,
  /** Between two looks at the pool, and two measurements of its memory. */
  poolTickMs: 1_000,
  poolMeasureMs: 5_000,
  /** After which a session that does not say that it is well is not, and one that does not get warm is given up. */
  poolHealthMsMax: 1_000,
  /** A Claude Code that was not heard of for so long is asked whether it is there, and given up when it does not say so in time. */
  claudeHeardMsMax: 10_000,
  claudeAnswerMsMax: 10_000,
  poolWarmMsMax: 120_000,

  /** What a session of Claude Code takes, and how long it takes to get ready, until one was measured. */
  claudeMemoryBytesDefault: 180 * MiB,
  claudeWarmupMs: 1_000,
  /** From when a further one is wanted to its start. */
  claudeWarmDelayMs: 150,
  /** Between signs of life to Claude Code while its model call waits; its client gives up a silent connection after minutes. */
  claudePingMs: 15_000,
  /** One model call of Claude Code; the Messages API's own bound. */
  claudeRequestBytesMax: 32 * MiB,

  /** Agents that are read from the journal in one turn of the event loop. */
  readAtOnceMax: 64,
  /** A waiting agent whose conversation is larger than this is folded again when it wakes. */
  waitingStateBytesMax: 16 * KiB,
  /**
   * Characters of records that an agent has folded since its last snapshot before another one is taken; at least one part in
   * `snapshotShareMin` of all.
   */
  snapshotTailMin: 128 * KiB,
  /** Events since its last snapshot, and the time since then with so many characters, after which one is taken though they are fewer. */
  snapshotEventsMin: 1_000,
  snapshotAgeMs: 3_600_000,
  snapshotAgedTailMin: 16 * KiB,
  snapshotShareMin: 8,
  /** One snapshot, uncompressed: agents that would need a larger one are folded from their events. */
  snapshotBytesMax: 512 * MiB,
  /** Agents from which on the heads of all are kept in one piece, and positions of the journal behind which they are of no use. */
  headsKeptMin: 2_000,
  headsBehindMax: 100_000,
  /** Events after which an agent's summary is written again, so that opening reads a short tail. */
  summaryEventsMax: 64,

  /** How long a record waits for others before it is shipped to a backup, and bytes of records of one segment. */
  backupDelayMs: 1_000,
  backupSegmentBytesMax: 64 * MiB,
  /** Blobs that are shipped, fetched or checked at a time: a bucket far away answers each in tens of milliseconds. */
  blobsAtOnceMax: 8,
  /** Trees that are moved to an archive at a time: each waits for its part to be durable. */
  treesArchivedAtOnceMax: 8,
  /** Bytes of bodies in a part of an archive, about: it ends with the record that reaches them. And of those kept at hand after a read. */
  archivePartBytesMax: MiB,
  archiveCacheBytesMax: 64 * MiB,
  /** Time after the start of `banyan up` before something is done to the data that never was. */
  upkeepFirstMs: 10 * 60_000,
  /** Drills of a backup of which the outcome is kept. */
  drillsKeptMax: 100,
  /** How long a backup that stopped waits to be begun again; the wait doubles. And how often it is looked whether a drill is due. */
  backupRetryMsMin: 10_000,
  backupRetryMsMax: 600_000,
  drillLookMs: 600_000,
  /** Faults that are written down in a second; further ones are counted. And the size after which their file is set aside. */
  faultsPerSecondMax: 100,
  faultLogBytesMax: 1 * MiB,

  /** Changes of agents' statuses are written together that come within so long; and their files, together. */
  historyFlushMs: 1_000,
  historyBytesMax: 256 * MiB,
  /** What an agent has cost since its last change is a change of its own when it is heard of so much later. */
  historyCostMs: 10_000,
  /** Agents whose changes may be asked for by their ids at once. */
  historyAgentsMax: 2_000,

  /** Lines of one overview of a tree. */
  overviewLinesMax: 10_000,
  /** An artifact that a person puts with one request. */
  artifactPutBytesMax: 8 * MiB,
  /** One request or answer on the control socket. */
  controlBytesMax: 16 * MiB,
  /** Peers on the control socket at once, and requests of one of them under way; further ones wait. */
  controlPeersMax: 64,
  controlRequestsMax: 64,
  /** A process that says nothing to a peer for so long is stopped, or blocked for good. */
  controlHelloMsMax: 10_000,
  /** Header bytes of an HTTP request, connections of the server, and streams that are open at once. */
  httpHeaderBytesMax: 16 * KiB,
  httpConnectionsMax: 512,
  httpStreamsMax: 256,
  /** HTTP requests a second of one token, and refused ones a second of all that have none. */
  httpRequestsPerSecondMax: 500,
  httpStrangersPerSecondMax: 50,
  /** Downloads with links instead of tokens at once. */
  httpLinkStreamsMax: 32,
  /** A request that has not arrived whole, or a last notice that was not taken, after so long is cut off. */
  httpRequestMsMax: 30_000,
  /** What is told live is told together that comes within so long; and so long a reader hears nothing at most. */
  feedFrameMs: 100,
  feedBeatMs: 1_000,
  /** Agents of ended trees that the live feed of a fleet tells of, all that live besides; and bytes of newest changes that it keeps. */
  feedAgentsMax: 20_000,
  feedBytesMax: 8 * MiB,
  /** Characters of newest events that are kept for those who follow them. A reader that lags further behind is cut off. */
  feedEventsCharactersMax: 16 * MiB,
  /** A link to log in works so long, a browser stays logged in so long, and there are so many of each. */
  loginCodeMs: 10 * 60_000,
  sessionMs: 7 * 24 * 3_600_000,
  /** How long a link to an artifact works: where it is not said, and at the most. */
  linkMsDefault: 24 * 3_600_000,
  linkMsMax: 30 * 24 * 3_600_000,
  sessionsMax: 1_000,
  /** So old may counts over all agents of a large fleet be, and so many of them are kept. */
  countsMs: 500,
  countsKeptMax: 64,
  /** The dashboard's files together; they are in memory. */
  pageBytesMax: 16 * MiB,
  /** Tokens that may open the server. */
  accessTokensMax: 1_000,
  /** Events that a slow reader may lag behind before it is told to read them from the journal. */
  followEventsMax: 10_000,

  /** One request to the provider simulator; the Messages API's own bound. */
  simulatorBodyBytesMax: 32 * MiB,
  /** Prefixes that the simulator's prompt cache remembers, and API keys whose rates it does. */
  simulatorCacheEntriesMax: 65_536,
  simulatorKeysMax: 4_096,
} as const;

assert(LIMITS.headBytesMax < LIMITS.inlineBytesMax, "a head is shorter than what stays inline");
assert(LIMITS.inlineBytesMax * 64 <= LIMITS.recordBytesMax, "a record holds many inline contents");
assert(LIMITS.recordBytesMax <= LIMITS.commitBytesMax, "an append holds the largest record");
assert(LIMITS.appendEventsMax <= LIMITS.commitRecordsMax, "one append fits one commit");
assert(LIMITS.childrenLiveMax <= LIMITS.childrenTotalMax, "living children are children");
assert(LIMITS.inboxMessagesMax >= LIMITS.childrenTotalMax, "every child can report");
assert(LIMITS.artifactsMax * 512 <= LIMITS.recordBytesMax, "a child's report names all its artifacts in one record");
assert(LIMITS.workTreeFilesMax * 80 <= LIMITS.recordBytesMax, "a record names all contents of a work tree");
assert(LIMITS.workTreeFileBytesMax <= LIMITS.workTreeBytesMax, "a file is part of its tree");
assert(LIMITS.turnCallsMax * 2 + 1 <= LIMITS.appendEventsMax, "a turn and all its calls fit one append");
assert(LIMITS.levelsDefault <= LIMITS.levelsMax, "a tree may be as deep as one is by default");
assert(LIMITS.treeLiveDefault <= LIMITS.treeAgentsMax, "living agents of a tree are agents of it");
assert(LIMITS.poolTickMs < LIMITS.poolIdleMsMax, "the pool looks before a session has idled for too long");
assert(
  LIMITS.httpLinkStreamsMax < LIMITS.httpConnectionsMax,
  "downloads by links leave connections to those who have tokens",
);
assert(LIMITS.breakerMsMin < LIMITS.retryMsMax, "a breaker has room to open for longer");
assert(
  LIMITS.blobRememberedMsMax * 2 <= LIMITS.collectGraceMsMin,
  "a digest that is remembered is of a blob that is there",
);
assert(LIMITS.collectGraceMsDefault <= LIMITS.collectRememberedMs, "the usual grace is one that a bucket can give");
assert(
  LIMITS.artifactPutBytesMax * 1.5 <= LIMITS.controlBytesMax,
  "what a person puts fits a request, in base64 and with its name",
);
assert(LIMITS.collectRequestsMax < LIMITS.objectRequestsMax, "a collection leaves requests to the agents");
assert(LIMITS.objectRetryMsMin < LIMITS.objectRetryMsMax, "backoff of objects has room to grow");
assert(LIMITS.objectLookBytesMin <= LIMITS.objectPartBytesMax, "what is sent without a look is one piece");
assert(LIMITS.backupRetryMsMin < LIMITS.backupRetryMsMax, "the wait of a backup has room to grow");
assert(LIMITS.retryMsMin < LIMITS.retryMsMax, "backoff has room to grow");
assert(
  LIMITS.readBytesMax + 512 <= LIMITS.inlineBytesMax,
  "a page that was read reaches the model whole, heading included",
);
assert(LIMITS.retryMsMax <= LIMITS.putOffMsMax, "a provider may ask for more patience than a failure gets");
assert(LIMITS.commandBytesMax <= LIMITS.commandOutputBytesMax, "what is kept of a command's output is part of it");
assert(LIMITS.recordBytesMax * 2 <= LIMITS.controlBytesMax, "an event passes through the control socket");
assert(LIMITS.processesLiveMax <= LIMITS.processesKeptMax, "a process that runs is remembered");
assert(LIMITS.processRingBytesMax <= LIMITS.processOutputBytesMax, "what is in memory of an output is part of it");
assert(
  LIMITS.heartbeatMsMax >= 2 * (LIMITS.superviseMs + LIMITS.superviseLateMs),
  "a heartbeat is missed more than once before it counts",
);
assert(LIMITS.processBackoffMsMin < LIMITS.processBackoffMsMax, "backoff of processes has room to grow");
assert(LIMITS.commandArgumentLengthMax * 6 <= LIMITS.recordBytesMax, "a process's arguments fit a record");
assert(LIMITS.searchMsMax <= LIMITS.toolMsMax, "a search is a tool call");
assert(LIMITS.searchShownLengthMax <= LIMITS.searchLineLengthMax, "what is shown of a line was searched");
assert(LIMITS.commandMsDefault <= LIMITS.commandMsMax && LIMITS.commandMsMax <= LIMITS.toolMsMax, "commands end first");
