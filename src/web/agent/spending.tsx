/** What an agent used and cost: by token class, and over time. */
import { useMemo } from "react";
import type { AgentDetail } from "../../server/contract/agent.ts";
import { Chart } from "../parts/chart.tsx";
import { count, short, usd } from "../parts/format.ts";
import { Scrolls } from "../parts/scrolls.tsx";
import type { Spent } from "./conversation.ts";

const CLASSES = [
  ["input", "input"],
  ["cacheRead", "read from the cache"],
  ["cacheWrite", "written to the cache"],
  ["output", "output"],
] as const;

interface Given {
  readonly detail: AgentDetail | undefined;
  readonly spending: readonly Spent[];
  /** Now, or when it ended. */
  readonly untilMs: number;
}

export function Spending({ detail, spending, untilMs }: Given) {
  const { times, cost, tokens } = useMemo(() => accumulated(spending, untilMs), [spending, untilMs]);
  if (!detail) return <p className="quiet none">Reading what it cost…</p>;
  const { usage, subtree, costUsd, estimatedUsd } = detail;
  const prompt = usage.input + usage.cacheRead + usage.cacheWrite;
  return (
    <Scrolls label="Cost">
      {spending.length === 0 ? (
        <p className="quiet none">It has not heard back from its model yet.</p>
      ) : (
        <>
          <h2>Cost over time</h2>
          <Chart
            label="Cost of the agent over time"
            height={150}
            steps
            times={times}
            series={[{ label: "cost", color: "--accent", values: cost, write: usd }]}
          />
          <h2>Tokens over time</h2>
          <Chart
            label="Tokens of the agent over time"
            height={130}
            steps
            times={times}
            series={[{ label: "tokens", color: "--state-completed", values: tokens, write: short }]}
          />
        </>
      )}
      <table className="plain">
        <thead>
          <tr>
            <th>Tokens</th>
            <th className="figure">Own</th>
            <th className="figure">Subtree</th>
          </tr>
        </thead>
        <tbody>
          {CLASSES.map(([name, title]) => (
            <tr key={name}>
              <td>{title}</td>
              <td className="figure">{count(usage[name])}</td>
              <td className="figure">{count(subtree.usage[name])}</td>
            </tr>
          ))}
          <tr>
            <td>Cost</td>
            <td className="figure">{usd(costUsd)}</td>
            <td className="figure">{usd(subtree.costUsd)}</td>
          </tr>
          <tr>
            <td>of it an upper bound</td>
            <td className="figure">{usd(estimatedUsd)}</td>
            <td className="figure">{usd(subtree.estimatedUsd)}</td>
          </tr>
          <tr>
            <td>reserved for calls in flight</td>
            <td />
            <td className="figure">{usd(subtree.reservedUsd)}</td>
          </tr>
        </tbody>
      </table>
      {prompt > 0 && (
        <p className="quiet">{`${Math.round((usage.cacheRead / prompt) * 100)} % of its prompts came from the cache.`}</p>
      )}
    </Scrolls>
  );
}

function accumulated(spending: readonly Spent[], untilMs: number) {
  let [costs, used] = [0, 0];
  const times: number[] = [];
  const cost: number[] = [];
  const tokens: number[] = [];
  for (const { time, costUsd, usage } of spending) {
    costs += costUsd;
    used += usage.input + usage.output + usage.cacheRead + usage.cacheWrite;
    times.push(time);
    cost.push(costs);
    tokens.push(used);
  }
  if (times.length > 0 && untilMs > (times.at(-1) ?? 0)) {
    times.push(untilMs);
    cost.push(costs);
    tokens.push(used);
  }
  return { times, cost, tokens };
}
