/** The fleet as a whole: how many are in which state, what is spent and how fast, and where. */
import { burnUsdPerMinute } from "../../fleet/burn.ts";
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { Chart } from "../parts/chart.tsx";
import { count, usd } from "../parts/format.ts";
import { MixBar, mixOf } from "../parts/mix.tsx";
import { Name } from "../parts/names.tsx";
import { StateIcon } from "../parts/state.tsx";
import { useLive } from "../shell/live.ts";
import { linkTo } from "../shell/place.ts";

const SPENDERS_MAX = 6;

export function AtAGlance() {
  const { fleet, watch } = useLive();
  const { all, burn } = fleet.sums;
  const watchedMs = fleet.timeMs - fleet.sinceMs;
  const perMinute = burnUsdPerMinute(burn.allNano, watchedMs);
  const spenders = perMinute === undefined ? [] : topSpenders(fleet);
  return (
    <section className="glance" aria-label="The fleet at a glance">
      <div>
        <h2>Agents</h2>
        <p className="big">{count(all.agents)}</p>
        <MixBar fleet={fleet} agent={-1} />
        <ul className="states">
          {mixOf(fleet, -1).map(({ status, count: agents }) => (
            <li key={status}>
              <a href={linkTo({ page: "tree", filter: `status:${status}` })}>
                <StateIcon shape={status} />
                <span>{status}</span>
                <span className="figure">{count(agents)}</span>
              </a>
            </li>
          ))}
        </ul>
        {fleet.omitted > 0 && (
          <p className="quiet">{`${count(fleet.omitted)} agents of ended trees are not counted here.`}</p>
        )}
      </div>
      <div>
        <h2>Spending</h2>
        <p className="big">
          {perMinute === undefined ? "…" : usd(perMinute)}
          <small> / min</small>
        </p>
        {perMinute === undefined ? (
          <p className="quiet">Watching what is spent: it is known in a moment.</p>
        ) : (
          <Chart
            label="Dollars a minute since this page was opened"
            height={120}
            times={watch.times}
            series={[{ label: "$ / min", color: "--accent", values: watch.usdPerMinute, write: usd }]}
          />
        )}
      </div>
      {spenders.length > 0 && (
        <div>
          <h2>Spending most, with all below</h2>
          <ol className="spenders">
            {spenders.map(({ agent, nano }) => (
              <li key={agent}>
                <a href={linkTo({ page: "tree", top: fleet.id[agent] ?? "" })}>
                  <Name text={fleet.name[agent] ?? ""} />
                  <span className="figure">{`${usd(burnUsdPerMinute(nano, watchedMs) ?? 0)} / min`}</span>
                </a>
              </li>
            ))}
          </ol>
        </div>
      )}
    </section>
  );
}

/** Subtrees right below where the fleet branches first: what one would pause to save money. */
function topSpenders(fleet: Fleet): { readonly agent: number; readonly nano: number }[] {
  let from = fleet.firstRoot;
  while (from >= 0 && at(fleet.nextSibling, from) < 0 && at(fleet.firstChild, from) >= 0) {
    from = at(fleet.firstChild, from);
  }
  const found: { agent: number; nano: number }[] = [];
  for (let agent = from; agent >= 0; agent = at(fleet.nextSibling, agent)) {
    const nano = at(fleet.sums.burn.nano, agent);
    if (nano > 0) found.push({ agent, nano });
  }
  return found.sort((a, b) => b.nano - a.nano || a.agent - b.agent).slice(0, SPENDERS_MAX);
}
