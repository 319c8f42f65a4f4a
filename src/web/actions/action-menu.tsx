/** Everything that can be done with an agent, where one is. */
import { Menu } from "@base-ui/react/menu";
import { visibleLine } from "../parts/format.ts";
import { useLiveQuietly } from "../shell/live.ts";
import { linkTo } from "../shell/place.ts";
import { useSelection } from "../shell/selection.ts";
import { canDo, MENU } from "./verbs.ts";

interface Given {
  readonly agent: number;
  readonly at: Element | null;
  readonly onEnd: () => void;
}

export function ActionMenu({ agent, at, onEnd }: Given) {
  const { fleet } = useLiveQuietly();
  const { begin, open } = useSelection();
  const id = fleet.id[agent];
  if (id === undefined) return null;
  return (
    <Menu.Root open onOpenChange={(next) => !next && onEnd()}>
      <Menu.Portal>
        <Menu.Positioner anchor={at} side="bottom" align="center" sideOffset={2} className="menu-place">
          <Menu.Popup className="menu" aria-label={`What to do with ${visibleLine(fleet.name[agent] ?? "")}`}>
            <Menu.Item className="item" onClick={() => open(agent)}>
              Open <kbd>Enter</kbd>
            </Menu.Item>
            {MENU.map(({ verb, word, key }) => {
              const can = canDo(fleet, agent, verb);
              if ((verb === "resume" || verb === "answer") && !can) return null;
              return (
                <Menu.Item
                  key={verb}
                  className={verb === "cancel" ? "item danger" : "item"}
                  disabled={!can}
                  onClick={() => begin({ verb, agent: id })}
                >
                  {word} {key !== undefined && <kbd>{key}</kbd>}
                </Menu.Item>
              );
            })}
            <Menu.Item
              className="item"
              onClick={() =>
                void navigator.clipboard?.writeText(`${window.location.origin}/${linkTo({ page: "agent", agent: id })}`)
              }
            >
              Copy its link
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
