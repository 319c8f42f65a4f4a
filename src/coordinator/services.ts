/** What the coordinator is given. `runtime/` chooses the adapters; a simulation gives its own. */
import type { Clock } from "../base/clock.ts";
import type { IdSource } from "../base/ids.ts";
import type { Random } from "../base/random.ts";
import type { Blobs } from "../blobs/blobs.ts";
import type { Contents } from "../blobs/content.ts";
import type { Snapshots } from "../checkpoints/snapshots.ts";
import type { WorkTrees } from "../checkpoints/work-trees.ts";
import type { Driver } from "../drivers/driver.ts";
import type { Journal } from "../journal/journal.ts";
import type { Drafts } from "../processes/drafts.ts";
import type { Launch } from "../processes/launch.ts";
import type { ToolRegistry } from "../tools/registry.ts";

export interface Services {
  readonly journal: Journal;
  readonly blobs: Blobs;
  readonly contents: Contents;
  readonly snapshots: Snapshots;
  /** Keeps the files of agents' folders; absent where there are none. */
  readonly workTrees?: WorkTrees | undefined;
  /** Canonical path of the data, which no tool reads. */
  readonly hidden?: string | undefined;
  readonly driver: Driver;
  readonly tools: ToolRegistry;
  /** Starts background processes; absent where there are to be none. */
  readonly launch?: Launch | undefined;
  /** Keeps what they put out for the next host; absent where that is lost with the host. */
  readonly drafts?: Drafts | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
}
