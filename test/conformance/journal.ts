/** The journal's conformance: every adapter passes all of it. The numbers in the titles are those of src/journal/journal.ts. */
import { describe } from "vitest";
import { appendSuite } from "./journal-append.ts";
import { followSuite } from "./journal-follow.ts";
import { lifeSuite } from "./journal-life.ts";
import { modelSuite } from "./journal-model.ts";
import { readSuite } from "./journal-read.ts";
import type { MakeWorld } from "./journal-world.ts";

/** `make` is called for every test, and makes a new, empty store. */
export function journalConformance(name: string, make: MakeWorld): void {
  describe(`the journal in ${name}`, () => {
    appendSuite(make);
    readSuite(make);
    followSuite(make);
    lifeSuite(make);
    modelSuite(make);
  });
}
