/**
 * A verb that is acknowledged is durable (V2 of the coordinator): when a person is told that it was done, the journal has it. A
 * message sent twice under one id is there once.
 */
import type { EventType } from "../../src/agent/events.ts";
import { hasEnded } from "../../src/agent/status.ts";
import type { Step } from "../audit.ts";
import type { Deed } from "../people.ts";
import type { Checker, Scene } from "./checker.ts";

const LEAVES: Readonly<Record<string, EventType>> = {
  rewind: "agent.rewound",
  checkpoint: "checkpoint.named",
  answer: "tool.answered",
  setBudget: "budget.set",
};

export function keptWord({ world, audit, people }: Scene): Checker {
  const steps: Step[] = [];
  const received = new Map<string, number>();
  audit.onStep((step) => {
    const { agent, recorded } = step;
    steps.push(step);
    if (recorded.event.type !== "message.received") return;
    const key = `${agent} ${recorded.event.id}`;
    received.set(key, (received.get(key) ?? 0) + 1);
    if (received.get(key) === 2) world.fail("kept word", `${agent} received message ${recorded.event.id} twice`);
  });
  const isKept = ({ verb, agent, since, mark }: Deed): boolean => {
    const later = (type: EventType) => {
      return steps.some((step) => step.position > since && step.agent === agent && step.recorded.event.type === type);
    };
    const head = agent === undefined ? undefined : audit.head(agent);
    switch (verb) {
      case "spawn":
      case "spawnChild":
      case "fork":
      case "forkTree":
      case "forkRoot":
        return mark !== undefined && audit.states.has(mark);
      case "send":
      case "sendTwice":
        return received.has(`${agent} ${mark}`);
      case "pause":
      case "pauseNow":
        return head?.held === true || later("hold.released") || later("agent.cancelled");
      case "cancel":
        return (head !== undefined && hasEnded(head.status)) || later("agent.cancelled");
      default: {
        const type = LEAVES[verb];
        return type === undefined || later(type);
      }
    }
  };
  people.onAcknowledged((deed) => {
    if (!isKept(deed))
      world.fail("kept word", `${deed.verb} of ${deed.agent} was acknowledged and is not in the journal`);
  });
  return {};
}
