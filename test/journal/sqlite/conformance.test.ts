import { journalConformance } from "../../conformance/journal.ts";
import { movingWorld } from "./archived-world.ts";
import { sqliteWorld } from "./world.ts";

journalConformance("SQLite", () => sqliteWorld());
journalConformance("SQLite, everything moved to an archive as soon as it is written", movingWorld);
