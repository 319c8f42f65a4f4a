/** LangGraph.js with its default state: every checkpoint holds the whole conversation. */
import { MessagesValue } from "@langchain/langgraph";
import { langgraph } from "./graph.ts";

export const contender = langgraph(MessagesValue, { name: "langgraph", scale: { W1: 0.2, W2: 0.2 } });
