/** The tools by which agents work together: children, and messages to anyone in the tree. */
import { z } from "zod";
import { name } from "../../agent/events.ts";
import { BanyanError } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { defineTool } from "../define.ts";
import { showLine, showName } from "../show.ts";

export const spawnAgent = defineTool({
  name: "spawn_agent",
  description:
    "Start an agent below you that works on a task of its own, at the same time as you. It knows nothing but what you tell it. Answers " +
    "`agent <name> started`. Start all that can work at once, then use wait_for_agents.",
  input: z.strictObject({
    name: name.describe(
      "What you will call it; letters, digits, dots, dashes and underscores. A number is added when the name is taken.",
    ),
    task: z
      .string()
      .min(1)
      .max(LIMITS.contentBytesMax)
      .describe("All that it needs to know, and what it should answer with."),
    instructions: z
      .string()
      .max(LIMITS.contentBytesMax)
      .optional()
      .describe("Standing instructions; yours when absent."),
    tools: z
      .array(z.string().min(1).max(64))
      .max(256)
      .optional()
      .describe("Names of the tools it may use, out of yours; all of yours when absent."),
    budgetUsd: z.number().positive().optional().describe("US dollars that it and all agents below it may spend."),
  }),
  onUnknownOutcome: "rerun",
  async run({ name, task, instructions, tools, budgetUsd }, { agents }) {
    const request = {
      name,
      task,
      ...(instructions !== undefined && { instructions }),
      ...(tools && { tools }),
      ...(budgetUsd !== undefined && { budgetUsd }),
    };
    const spawned = await agents.spawn(request);
    return `agent ${spawned.name} started`;
  },
});

/** The wait itself, and its answer, are the runtime's. */
export const waitForAgents = defineTool({
  name: "wait_for_agents",
  description:
    "Wait until agents that you started have ended. Answers a JSON array of `{name, status, output, artifacts}`; `status` is completed, failed or " +
    "cancelled. Waiting costs nothing.",
  input: z.strictObject({
    names: z
      .array(name)
      .min(1)
      .max(LIMITS.childrenTotalMax)
      .optional()
      .describe("Their names; all that you have not heard from yet when absent."),
  }),
  onUnknownOutcome: "rerun",
  waitsFor: "children",
  run({ names = [] }, { agents }) {
    const children = new Set(agents.children().map((child) => child.name));
    const stranger = names.find((each) => !children.has(each));
    if (stranger === undefined) return "";
    throw new BanyanError("AGENT_NOT_FOUND", `names: you started no agent ${stranger}; see list_agents`);
  },
});

export const waitForMessage = defineTool({
  name: "wait_for_message",
  description:
    "Wait until someone sends you a message; it follows the answer. Use it when you can do nothing before you hear more. Waiting costs nothing.",
  input: z.strictObject({}),
  onUnknownOutcome: "rerun",
  waitsFor: "message",
  run: () => "",
});

export const sendMessage = defineTool({
  name: "send_message",
  description:
    "Send a text to another agent, which reads it before its next step. Answers `sent to <to>`; an answer comes as a message, if at all.",
  input: z.strictObject({
    to: z
      .string()
      .min(1)
      .max(LIMITS.pathLengthMax)
      .describe(
        "`parent`, the name of an agent that you or your parent started, or a path of names from the root such as `/lead/worker`.",
      ),
    message: z.string().min(1).max(LIMITS.contentBytesMax),
  }),
  onUnknownOutcome: "rerun",
  async run({ to, message }, { agents }) {
    await agents.send(to, message);
    return `sent to ${showName(to)}`;
  },
});

const ACTIVITY_LENGTH_MAX = 200;

export const listAgents = defineTool({
  name: "list_agents",
  description:
    "List the agents that you started. Answers `N agents`, then `<name> <status> <what it does now>` a line.",
  input: z.strictObject({}),
  onUnknownOutcome: "rerun",
  run(_, { agents }) {
    const children = agents.children();
    const lines = children.map(({ name, status, activity }) =>
      `${name} ${status} ${showLine(activity, ACTIVITY_LENGTH_MAX)}`.trimEnd(),
    );
    return [`${children.length} agents`, ...lines].join("\n");
  },
});
