/**
 * Which blobs an event refers to. What a model or a provider made (arguments, metadata) may look like a reference and is none,
 * so the fields that hold such things are not looked into.
 */
import type { AgentEvent } from "./events.ts";

/** Fields whose content is someone else's. */
const FOREIGN = new Set(["json", "meta", "providerOptions", "headers"]);
const REFERENCES = new Set(["digest", "toolset", "tree"]);
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Digests, each once. */
export function referencesOf(event: AgentEvent): Set<string> {
  const found = new Set<string>();
  collect(event, found);
  return found;
}

function collect(value: unknown, found: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (typeof value === "object" && value !== null) {
    for (const [name, field] of Object.entries(value)) {
      if (FOREIGN.has(name)) continue;
      const isReference = REFERENCES.has(name) && typeof field === "string" && DIGEST.test(field);
      if (isReference) found.add(field);
      else if (name === "added" && Array.isArray(field)) for (const digest of field) found.add(digest);
      else collect(field, found);
    }
  }
}
