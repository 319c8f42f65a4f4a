import { MemoryJournal, MemoryStore } from "../../../src/journal/memory/memory-journal.ts";
import { journalConformance } from "../../conformance/journal.ts";

journalConformance("memory", async () => {
  const store = new MemoryStore();
  return { open: async () => new MemoryJournal({ store }), dispose: async () => {} };
});
