/**
 * What a checker is given to look at. Each one listens to what it needs and tells the world of what must not be; the number
 * is the invariant's in docs/architecture.md, section 6.
 */
import type { Audit } from "../audit.ts";
import type { Disk } from "../disk.ts";
import type { People } from "../people.ts";
import type { Process } from "../process.ts";
import type { Programs } from "../programs.ts";
import type { Provider } from "../provider.ts";
import type { Sessions } from "../sessions.ts";
import type { Tools } from "../tools.ts";
import type { World } from "../world.ts";

export interface Scene {
  readonly world: World;
  readonly disk: Disk;
  readonly audit: Audit;
  readonly provider: Provider;
  readonly sessions: Sessions;
  readonly tools: Tools;
  readonly programs: Programs;
  readonly people: People;
  /** The process that was started last, if it lives. */
  readonly process: () => Process | undefined;
}

export interface Checker {
  /** After every moment of the world. */
  readonly always?: () => void;
  /** When a process has read the journal, and when the world has come to rest. */
  readonly sometimes?: () => void;
}
