/** LangGraph.js with delta state, which is experimental there: a checkpoint holds what its step added. */
import { MessagesDeltaValue } from "@langchain/langgraph";
import { langgraph } from "./graph.ts";

export const contender = langgraph(MessagesDeltaValue, { name: "langgraph-delta", scale: { W1: 0.5, W2: 0.2 } });
