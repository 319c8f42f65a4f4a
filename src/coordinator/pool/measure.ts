/** Asks sessions what they take, and has them charged with it: each with the largest that one of its profile was found to take. */
import type { Member } from "./member.ts";
import type { Room } from "./room.ts";
import type { Shelf } from "./shelf.ts";

export async function measure(room: Room): Promise<void> {
  const largest = new Map<Shelf, number>();
  for (const member of [...room.members]) {
    const bytes = await bytesOf(member);
    if (bytes !== undefined) largest.set(member.shelf, Math.max(largest.get(member.shelf) ?? 0, bytes));
  }
  if (largest.size === 0) return;
  for (const [shelf, bytes] of largest) shelf.measured(bytes);
  for (const member of [...room.members]) if (largest.has(member.shelf)) room.recharge(member, member.shelf.bytes);
  room.shrink();
}

/** A session that cannot tell is charged as before. */
async function bytesOf({ state }: Member): Promise<number | undefined> {
  const kept = state.is === "ready" ? state.warm : "session" in state ? state.session : undefined;
  return kept?.memoryBytes?.().catch(() => undefined);
}
