/** The picture by keys, wherever the focus is on its page: from cell to cell, closer and farther, and through the past. */
import type { RefObject } from "react";
import type { Step } from "../../fleet/time/steps.ts";
import { type KeyMap, useKeys } from "../shell/keys.ts";
import type { Stage } from "./stage.ts";

const KEY_ZOOM = 0.6;
/** Of the whole past. */
const SCRUB = 0.01;
const PAN_X = 160;
const PAN_Y = 20;

interface Given {
  readonly stage: RefObject<Stage | undefined>;
  readonly selected: number;
  readonly onSelect: (agent: number) => void;
  readonly onOpen: (agent: number) => void;
  /** By a part of the whole past, back where it is less than 0. */
  readonly onScrub: (part: number) => void;
}

export function usePictureKeys({ stage, selected, onSelect, onOpen, onScrub }: Given): void {
  const pan = (x: number, y: number) => {
    stage.current?.panBy(x, y, 1e6);
    return undefined;
  };
  const step = (to: Step, panX: number, panY: number) => (event: KeyboardEvent) => {
    if (event.shiftKey) return pan(panX, panY);
    const next = stage.current?.stepFrom(selected, to) ?? -1;
    if (next >= 0) onSelect(next);
    return undefined;
  };
  const zoom = (by: number) => () => {
    stage.current?.zoomBy(by);
    return undefined;
  };
  const scrub = (part: number) => () => {
    onScrub(part);
    return undefined;
  };
  const [up, down] = [step("parent", 0, PAN_Y), step("child", 0, -PAN_Y)];
  const [left, right] = [step("previous", PAN_X, 0), step("next", -PAN_X, 0)];
  const moves: KeyMap = {
    ...{ k: up, K: up, ArrowUp: up, j: down, J: down, ArrowDown: down },
    ...{ h: left, H: left, ArrowLeft: left, l: right, L: right, ArrowRight: right },
  };
  useKeys({
    ...moves,
    ...{ "+": zoom(KEY_ZOOM), "=": zoom(KEY_ZOOM), "-": zoom(1 / KEY_ZOOM), _: zoom(1 / KEY_ZOOM) },
    ...{ "[": scrub(-SCRUB), "]": scrub(SCRUB), "{": scrub(-10 * SCRUB), "}": scrub(10 * SCRUB) },
    "0": () => {
      stage.current?.showWhole();
      return undefined;
    },
    z: () => {
      if (selected >= 0 && stage.current?.isWhole) stage.current.showSubtree(selected);
      else stage.current?.showWhole();
      return undefined;
    },
    Enter: () => {
      if (selected < 0) return false;
      onOpen(selected);
      return undefined;
    },
  });
}
