/** What the live feed says, as the model takes it. */
export type { AgentColumns, AgentsFrame, ChangedRows, ChangesFrame } from "../server/contract/fleet-frames.ts";
