/** Invariant 7: a blob that a journal refers to exists, from the moment at which the event that refers to it is durable. */
import { referencesOf } from "../../src/agent/references.ts";
import type { Digest } from "../../src/blobs/blobs.ts";
import type { Checker, Scene } from "./checker.ts";

export function blobs({ world, audit, disk }: Scene): Checker {
  const referred = new Set<string>();
  const check = (digest: string, who: string) => {
    if (!disk.blobs.has(digest as Digest)) world.fail("blobs", `${who} refers to ${digest}, which is not there`);
  };
  audit.onStep(({ agent, recorded: { event, seq } }) => {
    for (const digest of referencesOf(event)) {
      referred.add(digest);
      check(digest, `event ${seq} of ${agent} (${event.type})`);
    }
  });
  return {
    sometimes: () => {
      for (const digest of referred) check(digest, "a journal");
    },
  };
}
