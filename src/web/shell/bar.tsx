/** The bar on top: the pages, and how the fleet as a whole does. */
import { burnUsdPerMinute } from "../../fleet/burn.ts";
import { at } from "../../fleet/columns.ts";
import { PROBLEMS, URGENT } from "../../fleet/problems.ts";
import { count, usd } from "../parts/format.ts";
import { Icon, Mark } from "../parts/icons.tsx";
import { MixBar } from "../parts/mix.tsx";
import { STALE_MS, useLive } from "./live.ts";
import { linkTo, type PageName, type Place, TABS } from "./place.ts";
import type { Theme } from "./theme.ts";

const TITLES: Readonly<Record<PageName, string>> = {
  triage: "Triage",
  tree: "Tree",
  time: "Time",
  agent: "Agent",
  cost: "Cost",
  artifacts: "Artifacts",
};

const NEXT: Readonly<Record<Theme, Theme>> = { auto: "light", light: "dark", dark: "auto" };
const SIGN = { auto: "auto", light: "sun", dark: "moon" } as const;

interface Given {
  readonly place: Place;
  readonly theme: Theme;
  readonly onTheme: (theme: Theme) => void;
  readonly onHelp: () => void;
}

export function Bar({ place, theme, onTheme, onHelp }: Given) {
  const live = useLive();
  const { fleet } = live;
  const { all } = fleet.sums;
  const urgent = PROBLEMS.reduce((sum, _, problem) => sum + (problem >= URGENT ? at(all.problems, problem) : 0), 0);
  const ended = ["completed", "failed", "cancelled"].reduce(
    (sum, word) => sum + at(all.mix, fleet.statuses.indexOf(word)),
    0,
  );
  const burn = burnUsdPerMinute(fleet.sums.burn.allNano, fleet.timeMs - fleet.sinceMs);
  const shown = live.link === "live" && live.age() >= STALE_MS ? "lost" : live.link;
  return (
    <header className="bar">
      <a className="brand" href={linkTo({ page: "triage" })}>
        <Mark />
        Banyan
      </a>
      <nav aria-label="Pages">
        {TABS.map((page) => (
          <a key={page} href={linkTo({ page })} {...(page === place.page && { "aria-current": "page" as const })}>
            {TITLES[page]}
            {page === "triage" && urgent > 0 && (
              <span className="pill" title={`${count(urgent)} need a person now`}>
                {count(urgent)}
              </span>
            )}
          </a>
        ))}
      </nav>
      <div className="vitals">
        <MixBar fleet={fleet} agent={-1} />
        <span>
          <b>{count(all.agents - ended)}</b> live of {count(all.agents)}
        </span>
        <span>
          <b>{usd(all.nano / 1_000_000_000)}</b>
        </span>
        <span className="per-minute">{burn === undefined ? "" : `${usd(burn)} / min`}</span>
        <span className="link" data-link={shown}>
          {shown === "live" ? "live" : shown === "lost" ? "not live" : "connecting"}
        </span>
      </div>
      <div className="tools">
        <button
          type="button"
          className="button plain square"
          title={`Colours: ${theme}`}
          aria-label={`Colours: ${theme}; change`}
          onClick={() => onTheme(NEXT[theme])}
        >
          <Icon name={SIGN[theme]} />
        </button>
        <button type="button" className="button plain square" title="Keys" aria-label="Keys" onClick={onHelp}>
          <kbd>?</kbd>
        </button>
      </div>
    </header>
  );
}
