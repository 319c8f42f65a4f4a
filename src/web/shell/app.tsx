/** The frame of the page: what every page has around it, what the keys do everywhere, and what is being done with an agent. */
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { at } from "../../fleet/columns.ts";
import { nextProblem } from "../../fleet/triage.ts";
import { ActionDialog } from "../actions/action-dialog.tsx";
import { ActionMenu } from "../actions/action-menu.tsx";
import { pageClock } from "../browser.ts";
import { duration, plural } from "../parts/format.ts";
import { Tree } from "../tree/tree.tsx";
import { Triage } from "../triage/triage.tsx";
import { Bar } from "./bar.tsx";
import { Help } from "./help.tsx";
import { listenToKeys, useKeys } from "./keys.ts";
import { STALE_MS, useLink, useLive, useLiveQuietly, useMissed } from "./live.ts";
import { Login } from "./login.tsx";
import { TABS } from "./place.ts";
import { go, usePlace } from "./routes.ts";
import { type Doing, type Selection, SelectionContext, useSelection } from "./selection.ts";
import { useTheme } from "./theme.ts";

/** What the first page does not need comes when it is needed. */
const AgentView = lazy(() => import("../agent/agent-view.tsx").then((file) => ({ default: file.AgentView })));
const FleetOverTime = lazy(() =>
  import("../time/fleet-over-time.tsx").then((file) => ({ default: file.FleetOverTime })),
);
const Cost = lazy(() => import("../cost/cost.tsx").then((file) => ({ default: file.Cost })));
const Artifacts = lazy(() => import("../artifacts/artifacts.tsx").then((file) => ({ default: file.Artifacts })));

const NOTICE_MS = 4_000;

export function App() {
  const live = useLiveQuietly();
  const { fleet } = live;
  const link = useLink();
  const place = usePlace();
  const [theme, setTheme] = useTheme();
  const [selected, select] = useState(-1);
  const [doing, setDoing] = useState<Doing>();
  const [menu, setMenu] = useState<{ readonly agent: number; readonly at: Element | null }>();
  const [helps, setHelps] = useState(false);
  const [notice, setNotice] = useState("");
  useEffect(listenToKeys, []);
  const missed = useMissed();
  useEffect(() => {
    if (missed > 0) setNotice("This page fell behind, and was given everything anew.");
  }, [missed]);
  // A menu belongs to the place where it was opened.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another place closes it
  useEffect(() => setMenu(undefined), [place.page, place.agent]);
  useEffect(() => {
    if (notice === "") return;
    const timer = pageClock.timer(NOTICE_MS, () => setNotice(""));
    return () => timer.cancel();
  }, [notice]);

  const linked = fleet.ordinalOf(place.agent);
  // Whoever comes by a link sees where in the list the agent stands, and goes on from there.
  useEffect(() => {
    if (linked >= 0) select((chosen) => (chosen < 0 ? linked : chosen));
  }, [linked]);

  const open = useMemo(
    () => (agent: number) => {
      const id = fleet.id[agent];
      if (id === undefined) return;
      if (place.page === "agent") go({ page: "agent", agent: id, part: place.part });
      else go({ ...place, agent: id, part: place.part });
    },
    [fleet, place],
  );
  const selection = useMemo<Selection>(
    () => ({ selected, select, open, begin: setDoing, menu: (agent, element) => setMenu({ agent, at: element }) }),
    [selected, open],
  );

  /** What the keys are about: the row, or where no row is chosen the agent that is open. */
  const target = () => (selected >= 0 ? selected : fleet.ordinalOf(place.agent));
  const begin = (verb: Doing["verb"] | ((agent: number) => Doing["verb"])) => () => {
    const agent = target();
    const id = fleet.id[agent];
    if (id === undefined) return false;
    setDoing({ verb: typeof verb === "string" ? verb : verb(agent), agent: id });
    return undefined;
  };
  const toProblem = (step: 1 | -1) => () => {
    const next = nextProblem(fleet, target(), step);
    if (next < 0) {
      setNotice("No agent has a problem.");
      return undefined;
    }
    select(next);
    if (place.agent !== "") open(next);
    return undefined;
  };
  const pages = Object.fromEntries(
    TABS.map((page, index) => [
      String(index + 1),
      () => {
        go({ page, agent: place.page === "agent" ? "" : place.agent });
        return undefined;
      },
    ]),
  );
  useKeys({
    ...pages,
    n: toProblem(1),
    N: toProblem(-1),
    p: begin((agent) => (at(fleet.hold, agent) > 0 ? "resume" : "pause")),
    x: begin("cancel"),
    f: begin("fork"),
    ".": () => {
      const agent = target();
      if (agent < 0) return false;
      setMenu({
        agent,
        at: document.getElementById(`row-${agent}`) ?? document.querySelector(`[data-agent="${agent}"]`),
      });
      return undefined;
    },
    "?": () => setHelps(true) as undefined,
    Escape: () => {
      if (place.agent === "") return false;
      if (place.page === "agent") go({ page: "tree" });
      else go({ ...place, agent: "", part: "" });
      return undefined;
    },
  });

  if (link === "refused") return <Login onDone={() => live.start()} />;
  return (
    <SelectionContext value={selection}>
      <div className="frame">
        <Bar place={place} theme={theme} onTheme={setTheme} onHelp={() => setHelps(true)} />
        <Banner />
        <div className="stage">
          <main tabIndex={-1}>
            <Suspense fallback={null}>
              <Page />
            </Suspense>
          </main>
          {place.page !== "agent" && place.agent !== "" && (
            <aside aria-label="Agent">
              <Suspense fallback={null}>
                <AgentView key={place.agent} id={place.agent} place={place} />
              </Suspense>
            </aside>
          )}
        </div>
      </div>
      {doing && (
        <ActionDialog
          key={`${doing.verb}-${doing.agent}`}
          doing={doing}
          onEnd={(said) => {
            setDoing(undefined);
            if (said !== undefined) setNotice(said);
          }}
        />
      )}
      {menu && <ActionMenu {...menu} onEnd={() => setMenu(undefined)} />}
      <Help open={helps} onClose={() => setHelps(false)} />
      <div className="unseen" role="status" aria-live="polite">
        {notice}
      </div>
      {notice !== "" && (
        <div className="notice" aria-hidden="true">
          {notice}
        </div>
      )}
    </SelectionContext>
  );
}

function Page() {
  const { fleet, link } = useLive();
  const { selected, select, open } = useSelection();
  const place = usePlace();
  if (fleet.count === 0 && link !== "live")
    return (
      <div className="empty">
        <p>Reading the fleet…</p>
      </div>
    );
  if (fleet.count < fleet.total)
    return (
      <div className="empty">
        <p>{`Reading ${plural(fleet.total, "agent")}…`}</p>
      </div>
    );
  if (fleet.count === 0)
    return (
      <div className="empty">
        <h1>No agents yet</h1>
        <p>They are shown here as soon as somebody gives them a task:</p>
        <p className="mono">{'banyan run "survey the sources" --dir .'}</p>
      </div>
    );
  switch (place.page) {
    case "triage":
      return <Triage place={place} />;
    case "tree":
      return <Tree place={place} />;
    case "time":
      return <FleetOverTime fleet={fleet} selected={selected} onSelect={select} onOpen={open} />;
    case "agent":
      return <AgentView key={place.agent} id={place.agent} place={place} whole />;
    case "cost":
      return <Cost place={place} />;
    case "artifacts":
      return <Artifacts place={place} />;
  }
}

/** What is shown is old: nobody should steer by it without knowing. */
function Banner() {
  const live = useLive();
  const age = live.age();
  if (age < STALE_MS) return <div role="status" />;
  return (
    <div className="banner" role="alert">
      {`This is how things stood ${duration(age)} ago: ${live.link === "live" ? "the server is silent" : "the connection is lost, trying again"}.`}
    </div>
  );
}
