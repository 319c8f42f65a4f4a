/** One agent, beside a page or as the page: how it stands, what can be done, and the parts of what is known of it. */
import { burnUsdPerMinute } from "../../fleet/burn.ts";
import { at } from "../../fleet/columns.ts";
import { canDo } from "../actions/verbs.ts";
import { Fact } from "../parts/fact.tsx";
import { count, duration, short, usd, visible } from "../parts/format.ts";
import { Icon } from "../parts/icons.tsx";
import { Name, PathAbove } from "../parts/names.tsx";
import { faceOf, State } from "../parts/state.tsx";
import { useLive } from "../shell/live.ts";
import { linkTo, type Place } from "../shell/place.ts";
import { go } from "../shell/routes.ts";
import { useSelection, type Verb } from "../shell/selection.ts";
import { About } from "./about.tsx";
import { Checkpoints } from "./checkpoints.tsx";
import { Spending } from "./spending.tsx";
import { Transcript } from "./transcript.tsx";
import { useAgent } from "./use-agent.ts";

const PARTS = [
  ["", "Transcript"],
  ["checkpoints", "Checkpoints"],
  ["spending", "Cost"],
  ["about", "About"],
] as const;

const ACTIONS: readonly (readonly [Verb, string])[] = [
  ["answer", "Answer…"],
  ["send", "Send…"],
  ["pause", "Pause…"],
  ["resume", "Resume…"],
  ["interrupt", "Interrupt…"],
  ["fork", "Fork…"],
  ["cancel", "Cancel…"],
];

interface Given {
  readonly id: string;
  readonly place: Place;
  /** It is the page. */
  readonly whole?: boolean;
}

export function AgentView({ id, place, whole = false }: Given) {
  const { fleet } = useLive();
  const { begin, menu } = useSelection();
  const { detail, conversation, spending, problem } = useAgent(id);
  const agent = fleet.ordinalOf(id);
  if (agent < 0) {
    return (
      <div className="empty">
        <h1>No such agent</h1>
        <p>The fleet that is shown here has none with this id.</p>
      </div>
    );
  }
  const burn = burnUsdPerMinute(at(fleet.sums.burn.nano, agent), fleet.timeMs - fleet.sinceMs);
  const agents = at(fleet.sums.agents, agent);
  const trouble = fleet.trouble[agent] ?? "";
  const part = PARTS.some(([name]) => name === place.part) ? place.part : "";
  const partLink = (name: string) =>
    linkTo(whole ? { page: "agent", agent: id, part: name } : { ...place, part: name });
  return (
    <article className="agent" aria-label="Agent" data-agent={agent}>
      <header>
        <div className="top">
          <PathAbove fleet={fleet} agent={agent} />
          <span className="tools">
            <button
              type="button"
              className="button plain square"
              aria-label="Everything that can be done with it"
              onClick={(event) => menu(agent, event.currentTarget)}
            >
              <Icon name="more" size={14} />
            </button>
            {!whole && (
              <a
                className="button plain square"
                href={linkTo({ page: "agent", agent: id, part })}
                aria-label="Open as a page"
              >
                <Icon name="expand" size={14} />
              </a>
            )}
            <button
              type="button"
              className="button plain square"
              aria-label="Close"
              onClick={() => go(whole ? { page: "tree" } : { ...place, agent: "", part: "" })}
            >
              <Icon name="close" size={14} />
            </button>
          </span>
        </div>
        <h1>
          <Name text={fleet.name[agent] ?? ""} />
          <State face={faceOf(fleet, agent)} />
        </h1>
        {trouble !== "" && (
          <p className="trouble" data-state={fleet.statuses[at(fleet.status, agent)]}>
            <bdi>{visible(trouble)}</bdi>
          </p>
        )}
        <dl className="facts">
          <Fact name="Cost, own" value={usd(fleet.costUsd(agent))} />
          {agents > 1 && <Fact name={`With ${count(agents - 1)} below`} value={usd(fleet.subtreeUsd(agent))} />}
          <Fact name="$ / min" value={burn === undefined ? "·" : burn === 0 ? "–" : usd(burn)} />
          <Fact name="Turns" value={count(at(fleet.turns, agent))} />
          <Fact name="Tokens in" value={short(at(fleet.tokensIn, agent))} />
          <Fact name="out" value={short(at(fleet.tokensOut, agent))} />
          <Fact
            name={fleet.hasEnded(agent) ? "Lived" : "Age"}
            value={duration((fleet.endedMs[agent] || fleet.timeMs) - at(fleet.spawnedMs, agent))}
          />
          <Fact name="Last event" value={`${duration(fleet.timeMs - at(fleet.lastMs, agent))} ago`} />
        </dl>
        <div className="actions">
          {ACTIONS.map(([verb, word]) => {
            const can = canDo(fleet, agent, verb);
            if ((verb === "resume" || verb === "answer" || verb === "pause") && !can) return null;
            return (
              <button
                key={verb}
                type="button"
                className={verb === "answer" ? "button first" : "button"}
                disabled={!can}
                onClick={() => begin({ verb, agent: id })}
              >
                {word}
              </button>
            );
          })}
        </div>
        <nav aria-label="Parts of the agent">
          {PARTS.map(([name, title]) => (
            <a key={name} href={partLink(name)} {...(name === part && { "aria-current": "true" as const })}>
              {title}
            </a>
          ))}
        </nav>
      </header>
      <div className="part" key={part}>
        {problem !== "" && (
          <p className="refusal" role="alert">
            {problem}
          </p>
        )}
        {part === "" && <Transcript id={id} conversation={conversation} detail={detail} />}
        {part === "checkpoints" && <Checkpoints id={id} stamp={at(fleet.lastMs, agent)} />}
        {part === "spending" && (
          <Spending detail={detail} spending={spending} untilMs={fleet.endedMs[agent] || fleet.timeMs} />
        )}
        {part === "about" && <About detail={detail} agent={agent} conversation={conversation} />}
      </div>
    </article>
  );
}
