/** How far a reader of live events may lag behind. */
import type { Coordinator } from "../coordinator/coordinator.ts";

/** Tells once, when so many events have become durable from now on. Returns how to stop that. */
export function countCommits(coordinator: Coordinator, max: number, tell: () => void): () => void {
  let count = 0;
  const forget = coordinator.watch((_agent, recorded) => {
    count += recorded.length;
    if (count <= max) return;
    forget();
    tell();
  });
  return forget;
}
