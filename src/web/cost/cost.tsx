/** What was spent, and on what: by subtree, model, level or status. The server adds up; cancelled and failed agents count too. */
import { useEffect, useState } from "react";
import type { CostReport } from "../../server/contract/fleet.ts";
import { ask, wordsOf } from "../api/operations.ts";
import { pageClock } from "../browser.ts";
import { clockTime, count, short, usd, visibleLine } from "../parts/format.ts";
import { Scrolls } from "../parts/scrolls.tsx";
import { linkTo, type Place } from "../shell/place.ts";

const GROUPS = [
  ["level", "Level"],
  ["model", "Model"],
  ["status", "Status"],
  ["agent", "Subtree"],
] as const;
type By = (typeof GROUPS)[number][0];
/** Groups by agent are as many as agents. */
const SHOWN_MAX = 200;
const READ_MS = 2_000;

export function Cost({ place }: { place: Place }) {
  const by: By = GROUPS.find(([name]) => name === place.by)?.[0] ?? "level";
  const [report, setReport] = useState<{ readonly by: By; readonly cost: CostReport; readonly atMs: number }>();
  const [problem, setProblem] = useState("");
  useEffect(() => {
    const gone = new AbortController();
    const read = async () => {
      try {
        setReport({ by, cost: await ask("cost", { by }, gone.signal), atMs: pageClock.now() });
        setProblem("");
      } catch (error) {
        if (!gone.signal.aborted) setProblem(wordsOf(error));
      }
      if (!gone.signal.aborted) pageClock.timer(READ_MS, () => !gone.signal.aborted && void read());
    };
    void read();
    return () => gone.abort();
  }, [by]);
  const cost = report?.by === by ? report.cost : undefined;
  // Levels stand as they do in the tree, everything else dearest first.
  const order = (a: Group, b: Group) => (by === "level" ? Number(a.key) - Number(b.key) : of(b) - of(a));
  const sorted = cost?.groups.toSorted(order) ?? [];
  const largest = Math.max(0, ...sorted.map(of));
  return (
    <section className="page" aria-label="Cost">
      <header>
        <h1>Cost</h1>
        <nav className="choices" aria-label="Group by">
          {GROUPS.map(([name, title]) => (
            <a
              key={name}
              href={linkTo({ ...place, by: name })}
              {...(name === by && { "aria-current": "true" as const })}
            >
              {title}
            </a>
          ))}
        </nav>
        {report && <p className="quiet">{`as of ${clockTime(report.atMs)}`}</p>}
      </header>
      {problem !== "" && <p className="refusal">{problem}</p>}
      {cost && (
        <>
          <dl className="totals">
            <Total name="Spent" value={usd(cost.total.costUsd)} />
            <Total name="of it an upper bound" value={usd(cost.total.estimatedUsd)} />
            <Total name="Reserved for calls in flight" value={usd(cost.total.reservedUsd)} />
            <Total name="Agents" value={count(cost.total.agents)} />
            <Total name="Turns" value={count(cost.total.turns)} />
            <Total name="Prompt from cache" value={cached(cost.total.usage)} />
          </dl>
          <Scrolls label="Groups">
            <table>
              <thead>
                <tr>
                  <th>{GROUPS.find(([name]) => name === by)?.[1]}</th>
                  <th className="figure">{by === "agent" ? "With all below" : "Cost"}</th>
                  <th className="share">
                    <span className="unseen">Share</span>
                  </th>
                  {by === "agent" && <th className="figure">Own</th>}
                  <th className="figure">Agents</th>
                  <th className="figure">Turns</th>
                  <th className="figure">Input</th>
                  <th className="figure">From cache</th>
                  <th className="figure">Output</th>
                </tr>
              </thead>
              <tbody>
                {sorted.slice(0, SHOWN_MAX).map((group) => (
                  <tr key={group.agent ?? group.key}>
                    <td className="key">
                      {group.agent === null ? (
                        <bdi>{by === "level" ? `Level ${group.key}` : visibleLine(group.key)}</bdi>
                      ) : (
                        <a className="as-link" href={linkTo({ ...place, agent: group.agent })}>
                          <bdi>{visibleLine(group.key)}</bdi>
                        </a>
                      )}
                    </td>
                    <td className="figure">{usd(of(group))}</td>
                    <td className="share">
                      <span style={{ width: `${largest === 0 ? 0 : (of(group) / largest) * 100}%` }} />
                    </td>
                    {by === "agent" && <td className="figure quiet">{usd(group.costUsd)}</td>}
                    <td className="figure quiet">{count(group.agents)}</td>
                    <td className="figure quiet">{count(group.turns)}</td>
                    <td className="figure quiet">{short(group.usage.input + group.usage.cacheWrite)}</td>
                    <td className="figure quiet">{short(group.usage.cacheRead)}</td>
                    <td className="figure quiet">{short(group.usage.output)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            {sorted.length > SHOWN_MAX && <p className="quiet">{`and ${count(sorted.length - SHOWN_MAX)} more`}</p>}
          </Scrolls>
        </>
      )}
    </section>
  );
}

type Group = CostReport["groups"][number];

function of(group: Group | undefined): number {
  return group?.subtreeCostUsd ?? group?.costUsd ?? 0;
}

function cached({ input, cacheRead, cacheWrite }: Group["usage"]): string {
  const prompt = input + cacheRead + cacheWrite;
  return prompt === 0 ? "–" : `${((cacheRead / prompt) * 100).toFixed(1)} %`;
}

function Total({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
