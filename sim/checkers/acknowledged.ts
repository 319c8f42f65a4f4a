/**
 * Invariant 1: an acknowledged event is never lost, reordered or changed. Compares the disk's own record of what it acknowledged
 * with what is there.
 */
import type { Checker, Scene } from "./checker.ts";

export function acknowledged({ world, disk }: Scene): Checker {
  const look = (from: number) => {
    let lastPosition = 0;
    for (const { agent, firstSeq, records } of disk.acknowledged.slice(from)) {
      const log = disk.store.logs.get(agent);
      const before = log?.origin?.seq ?? 0;
      for (const [index, record] of records.entries()) {
        const seq = firstSeq + index;
        const stored = log?.records[seq - before - 1];
        if (!stored) {
          world.fail("acknowledged", `event ${seq} of ${agent} (${record.type}) was acknowledged and is lost`);
          break;
        }
        const isSame = stored.seq === seq && stored.type === record.type && stored.body === record.body;
        if (!isSame)
          world.fail("acknowledged", `event ${seq} of ${agent} (${record.type}) is not what was acknowledged`);
        if (disk.store.order[stored.position - 1] !== stored) {
          world.fail("acknowledged", `event ${seq} of ${agent} is not at its position ${stored.position}`);
        }
        lastPosition = Math.max(lastPosition, stored.position);
      }
    }
    return disk.acknowledged.length;
  };
  let seen = 0;
  return {
    always: () => {
      seen = look(seen);
    },
    sometimes: () => {
      look(0);
    },
  };
}
