/** What wheel and pointer do on the picture. */
import { type RefObject, useEffect } from "react";
import type { Spot, Stage } from "./stage.ts";

/** A pointer that went less far has clicked. */
const CLICK_PX = 4;
const WHEEL = 0.0018;
const PINCH = 0.012;

export interface Wants {
  readonly onHover: (spot: Spot | undefined, x: number, y: number) => void;
  readonly onSelect: (agent: number) => void;
  readonly onOpen: (agent: number) => void;
}

export function useGestures(
  canvas: RefObject<HTMLCanvasElement | null>,
  stage: RefObject<Stage | undefined>,
  wants: RefObject<Wants>,
): void {
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const gone = new AbortController();
    const { signal } = gone;
    let drag: { x: number; y: number; startX: number; startY: number; isFar: boolean } | undefined;

    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const [x, y] = [event.deltaX * lines, event.deltaY * lines];
      if (event.shiftKey || Math.abs(x) > Math.abs(y)) stage.current?.panBy(-(x || y), 0, event.offsetY);
      else stage.current?.zoomAt(event.offsetX, event.offsetY, Math.exp(y * (event.ctrlKey ? PINCH : WHEEL)));
    };
    const onDown = (event: PointerEvent) => {
      if (event.button !== 0) return;
      const { offsetX: x, offsetY: y } = event;
      drag = { x, y, startX: x, startY: y, isFar: false };
      element.setPointerCapture(event.pointerId);
    };
    const onMove = (event: PointerEvent) => {
      const { offsetX: x, offsetY: y } = event;
      if (!drag) {
        const spot = stage.current?.spotAt(x, y);
        stage.current?.hover(spot?.agent ?? -1);
        wants.current.onHover(spot, x, y);
        return;
      }
      drag.isFar ||= Math.hypot(x - drag.startX, y - drag.startY) >= CLICK_PX;
      if (drag.isFar) {
        element.dataset.dragging = "true";
        wants.current.onHover(undefined, x, y);
        stage.current?.panBy(x - drag.x, y - drag.y, drag.startY);
      }
      drag = { ...drag, x, y };
    };
    const onUp = (event: PointerEvent) => {
      delete element.dataset.dragging;
      if (drag && !drag.isFar && event.type === "pointerup") {
        const spot = stage.current?.spotAt(event.offsetX, event.offsetY);
        if (spot) wants.current.onSelect(spot.agent);
      }
      drag = undefined;
    };
    const onLeave = () => {
      stage.current?.hover(-1);
      wants.current.onHover(undefined, 0, 0);
    };
    const onDouble = (event: MouseEvent) => {
      const spot = stage.current?.spotAt(event.offsetX, event.offsetY);
      if (spot) wants.current.onOpen(spot.agent);
    };
    element.addEventListener("wheel", onWheel, { passive: false, signal });
    element.addEventListener("pointerdown", onDown, { signal });
    element.addEventListener("pointermove", onMove, { signal });
    element.addEventListener("pointerup", onUp, { signal });
    element.addEventListener("pointercancel", onUp, { signal });
    element.addEventListener("pointerleave", onLeave, { signal });
    element.addEventListener("dblclick", onDouble, { signal });
    return () => gone.abort();
  }, [canvas, stage, wants]);
}
