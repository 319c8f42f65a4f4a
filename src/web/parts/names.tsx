/** Texts of an agent's making: never markup, never of another direction than the line they stand in, with nothing unseen in them. */
import { at } from "../../fleet/columns.ts";
import type { Fleet } from "../../fleet/fleet.ts";
import { visibleLine } from "./format.ts";

export function Name({ text }: { text: string }) {
  return <bdi className="name">{visibleLine(text)}</bdi>;
}

/** Names from the root down to the parent, without the agent itself. */
export function namesAbove(fleet: Fleet, agent: number): { readonly agent: number; readonly name: string }[] {
  const above: { agent: number; name: string }[] = [];
  for (let up = at(fleet.parent, agent); up >= 0; up = at(fleet.parent, up)) {
    above.push({ agent: up, name: visibleLine(fleet.name[up] ?? "") });
  }
  return above.reverse();
}

/** The way from the root; of a long one its ends. */
export function PathAbove({ fleet, agent }: { fleet: Fleet; agent: number }) {
  const names = namesAbove(fleet, agent).map(({ name }) => name);
  const shown = names.length > 5 ? [...names.slice(0, 2), "…", ...names.slice(-2)] : names;
  return (
    <span className="path" title={`/${names.join("/")}`}>
      {shown.map((name, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places on a path are its steps
        <span key={index}>
          <bdi>{name}</bdi>
          <i aria-hidden="true">/</i>
        </span>
      ))}
    </span>
  );
}
