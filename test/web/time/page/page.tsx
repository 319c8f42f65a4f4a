/** The picture by itself, with a lively fleet from a seed: `?agents=10000&depth=14&rate=50&theme=dark`. */
import { StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { Fleet } from "../../../../src/fleet/fleet.ts";
import { type Past, pastOfColumns } from "../../../../src/fleet/time/past.ts";
import { pageClock } from "../../../../src/web/browser.ts";
import { listenToKeys } from "../../../../src/web/shell/keys.ts";
import { FleetOverTime } from "../../../../src/web/time/fleet-over-time.tsx";
import { TimeView } from "../../../../src/web/time/time-view.tsx";
import { pastOfGenerated } from "../../../support/generated-past.ts";
import { livelyFleet } from "./lively.ts";
import "../../../../src/web/styles/tokens.css";
import "../../../../src/web/styles/base.css";

const asked = new URLSearchParams(window.location.search);
const numberOf = (name: string, otherwise: number) => Number(asked.get(name) ?? otherwise);
document.documentElement.dataset.theme = asked.get("theme") ?? "dark";

const View = asked.has("journals") ? FleetOverTime : TimeView;
const generated = livelyFleet(numberOf("agents", 1_000), numberOf("depth", 8), numberOf("seed", 7));
const fleet = new Fleet();
for (const frame of generated.frames()) fleet.applyAgents(frame);
fleet.tick(fleet.timeMs);

/** `?past` has the journals tell what everybody did before. */
const past: Past = {
  at: (atMs) => Promise.resolve(pastOfColumns(fleet, atMs, new Uint8Array(fleet.count))),
  changesOf: (ids) => Promise.resolve([pastOfGenerated(generated, ids)]),
};

const page = { selected: -1, opened: -1, fleet };
Object.assign(window, { harness: page });

function Page() {
  const [, setVersion] = useState(0);
  const [selected, select] = useState(-1);
  page.selected = selected;
  useEffect(() => {
    const rate = numberOf("rate", 0);
    if (rate === 0) return;
    let timer = pageClock.timer(100, turn);
    function turn(): void {
      fleet.applyChanges(generated.step(rate, 1));
      setVersion((version) => version + 1);
      timer = pageClock.timer(100, turn);
    }
    return () => timer.cancel();
  }, []);
  return (
    <View
      {...(asked.has("past") && { past })}
      fleet={fleet}
      selected={selected}
      onSelect={select}
      onOpen={(agent) => {
        page.opened = agent;
      }}
    />
  );
}

listenToKeys();
const root = document.getElementById("page");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Page />
    </StrictMode>,
  );
}
