/**
 * The picture of the fleet over time: time from left to right, levels from top to bottom, a cell an agent; by cost instead of time on
 * demand, and as it was at any past moment. The canvas has the focus as a whole: arrows go from agent to agent, and each is told in words.
 */
import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { readFaces } from "../../fleet/time/faces.ts";
import type { Along } from "../../fleet/time/layout.ts";
import { aliveAt, amongMore, type Moment, type Past, pastOfColumns } from "../../fleet/time/past.ts";
import { pageClock } from "../browser.ts";
import { clockTime, count, plural } from "../parts/format.ts";
import { StateIcon } from "../parts/state.tsx";
import { useGestures, type Wants } from "./gestures.ts";
import { Hint } from "./hint.tsx";
import { Keeper } from "./keeper.ts";
import { usePictureKeys } from "./keys.ts";
import { Scrubber } from "./scrubber.tsx";
import { type Spot, Stage } from "./stage.ts";
import { allCostThen, describe, summary, tallyOf, wordsOfFace } from "./words.ts";
import "./time.css";

interface Given {
  readonly fleet: Fleet;
  /** Ordinal; -1 for none. */
  readonly selected: number;
  readonly onSelect: (agent: number) => void;
  readonly onOpen: (agent: number) => void;
  /** Answers for the past from the journals, the same one for as long as the fleet is; without it the columns answer for births and ends. */
  readonly past?: Past;
}

export function TimeView({ fleet, selected, onSelect, onOpen, past }: Given) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<Stage>(undefined);
  const [along, setAlong] = useState<Along>("time");
  const [atMs, setAtMs] = useState<number>();
  const [hint, setHint] = useState<{ readonly spot: Spot; readonly x: number; readonly y: number }>();
  const [isWhole, setWhole] = useState(true);
  const moment = useMoment(fleet, atMs, past);
  const wants = useRef<Wants>({ onHover: () => undefined, onSelect, onOpen });
  wants.current = {
    onSelect,
    onOpen,
    onHover: (spot, x, y) => setHint(spot && { spot, x, y }),
  };
  useGestures(canvas, stage, wants);

  useEffect(() => {
    const element = canvas.current;
    const frame = element?.parentElement;
    if (!element || !frame) return;
    const made = new Stage(element, fleet, () => {
      setWhole(made.isWhole);
      keeper?.look(made.wanted, () => made.ask());
    });
    const { tracks } = made;
    const keeper = past && new Keeper({ fleet, tracks, past, clock: pageClock });
    stage.current = made;
    const sized = new ResizeObserver(() => made.resize(frame.clientWidth, frame.clientHeight));
    sized.observe(frame);
    const themed = new MutationObserver(() => made.recolor());
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    // A canvas does not notice that its font has come.
    const lettered = () => made.ask();
    document.fonts.addEventListener("loadingdone", lettered);
    return () => {
      document.fonts.removeEventListener("loadingdone", lettered);
      sized.disconnect();
      themed.disconnect();
      keeper?.stop();
      made.stop();
      stage.current = undefined;
    };
  }, [fleet, past]);
  // After every change of the fleet, which draws this component again.
  useEffect(() => stage.current?.show(along, moment, selected));

  const { version } = fleet;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the fleet changes with its version
  const glance = useMemo(() => glanceAt(fleet, moment), [fleet, version, moment]);

  const { firstMs } = glance;
  const scrub = (part: number) => {
    const next = (atMs ?? fleet.timeMs) + part * (fleet.timeMs - firstMs);
    setAtMs(next >= fleet.timeMs ? undefined : Math.max(firstMs, next));
  };
  usePictureKeys({ stage, selected, onSelect, onOpen, onScrub: scrub });
  const told = useTold(fleet, selected, moment, stage);

  return (
    <section className="time" aria-label="Time">
      <header>
        <fieldset className="choices">
          <legend className="unseen">Width of a cell</legend>
          {(["time", "cost"] as const).map((each) => (
            <button key={each} type="button" aria-pressed={along === each} onClick={() => setAlong(each)}>
              {each === "time" ? "Time" : "Cost"}
            </button>
          ))}
        </fieldset>
        <ul className="tally" aria-label="States">
          {glance.tally.map(({ face, agents }) => {
            const { shape, word } = wordsOfFace(face, moment?.isExact ?? true);
            return (
              <li key={face} className="state" data-state={shape}>
                <StateIcon shape={shape} size={12} />
                <b>{count(agents)}</b>
                {word}
              </li>
            );
          })}
        </ul>
        <div className="ends">
          {moment && !moment.isExact && <span className="quiet">only births and ends are known</span>}
          <button
            type="button"
            className="button square"
            aria-label="Closer"
            onClick={() => stage.current?.zoomBy(0.6)}
          >
            +
          </button>
          <button
            type="button"
            className="button square"
            aria-label="Farther"
            onClick={() => stage.current?.zoomBy(1 / 0.6)}
          >
            −
          </button>
          <button type="button" className="button" disabled={isWhole} onClick={() => stage.current?.showWhole()}>
            Whole fleet
          </button>
        </div>
      </header>
      <div
        className="picture"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes keys, and tells where they lead
        tabIndex={0}
        role="application"
        aria-roledescription="picture of the fleet"
        aria-label={`Fleet by ${along}. Arrows, or k, j, h and l, go to parent, child, and along a level; plus, minus and 0 zoom; brackets go through the past; Enter opens.`}
        aria-describedby="time-summary time-selected"
      >
        <canvas ref={canvas} />
        {hint && hint.spot.agent < fleet.count && (
          <Hint
            {...hint}
            fleet={fleet}
            moment={moment}
            track={stage.current?.tracks.of(hint.spot.agent)}
            atMs={stage.current?.timeAt(hint.x)}
          />
        )}
      </div>
      <Scrubber
        fleet={fleet}
        fromMs={firstMs}
        atMs={atMs}
        alive={glance.alive}
        spent={allCostThen(fleet, moment)}
        onScrub={setAtMs}
      />
      <p id="time-summary" className="unseen">
        {summary(glance.tally, glance.levels)}
      </p>
      <p id="time-selected" className="unseen" role="status" aria-live="polite">
        {told}
      </p>
    </section>
  );
}

/** Who is selected, in words: told anew for another agent, or at another moment, but not with every change of the fleet. */
function useTold(
  fleet: Fleet,
  selected: number,
  moment: Moment | undefined,
  stage: RefObject<Stage | undefined>,
): string {
  const [told, setTold] = useState("");
  useEffect(() => {
    const isThere = selected >= 0 && selected < fleet.count;
    const then = moment && `${clockTime(moment.atMs)}, ${plural(aliveAt(fleet, moment.atMs), "agent")} alive`;
    const who = isThere && describe(fleet, selected, moment, stage.current?.tracks.of(selected));
    setTold([then, who].filter(Boolean).join(": "));
  }, [fleet, selected, moment, stage]);
  return told;
}

/** The columns answer at once, the journals when they have read. */
function useMoment(fleet: Fleet, atMs: number | undefined, past: Past | undefined): Moment | undefined {
  const [read, setRead] = useState<Moment>();
  useEffect(() => {
    if (atMs === undefined || !past) return;
    const gone = new AbortController();
    past.at(atMs, gone.signal).then(
      (moment) => !gone.signal.aborted && setRead(moment),
      // What the columns say stays.
      () => undefined,
    );
    return () => gone.abort();
  }, [atMs, past]);
  const { count: agents } = fleet;
  return useMemo(() => {
    if (atMs === undefined) return undefined;
    if (read?.atMs === atMs) return amongMore(read, agents);
    return pastOfColumns(fleet, atMs, new Uint8Array(agents));
  }, [fleet, agents, atMs, read]);
}

/** What stands around the picture, counted once a change. */
function glanceAt(fleet: Fleet, moment: Moment | undefined) {
  const faces = moment?.faces ?? new Uint8Array(fleet.count);
  if (!moment) readFaces(fleet, faces);
  let [firstMs, levels] = [fleet.timeMs, 0];
  for (let agent = 0; agent < fleet.count; agent++) {
    firstMs = Math.min(firstMs, at(fleet.spawnedMs, agent));
    levels = Math.max(levels, at(fleet.level, agent) + 1);
  }
  const tally = tallyOf(faces, Math.min(faces.length, fleet.count));
  return { tally, firstMs, levels, alive: aliveAt(fleet, moment?.atMs ?? fleet.timeMs) };
}
