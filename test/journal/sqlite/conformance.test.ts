import { journalConformance } from "../../conformance/journal.ts";
import { sqliteWorld } from "./world.ts";

journalConformance("SQLite", sqliteWorld);
