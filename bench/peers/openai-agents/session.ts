/**
 * A session of the Agents SDK in SQLite. The SDK for TypeScript has none of its own and says to bring one; this is the plain one: a row
 * an item, one transaction for what a run adds, WAL with synchronous FULL.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AgentInputItem, Session } from "@openai/agents";

export interface Sessions {
  session(id?: string): Session;
  /** A new session with the items of another. Returns its id. */
  fork(id: string): string;
  close(): void;
}

export function openSessions(folder: string): Sessions {
  const database = new DatabaseSync(join(folder, "sessions.db"));
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, session TEXT NOT NULL, body TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS items_of_session ON items (session, id);
  `);
  const insert = database.prepare("INSERT INTO items (session, body) VALUES (?, ?)");
  const all = database.prepare("SELECT body FROM items WHERE session = ? ORDER BY id");
  const newest = database.prepare("SELECT body FROM items WHERE session = ? ORDER BY id DESC LIMIT ?");
  const pop = database.prepare(
    "DELETE FROM items WHERE id = (SELECT max(id) FROM items WHERE session = ?) RETURNING body",
  );
  const clear = database.prepare("DELETE FROM items WHERE session = ?");
  const copy = database.prepare(
    "INSERT INTO items (session, body) SELECT ?, body FROM items WHERE session = ? ORDER BY id",
  );
  const parse = ({ body }: Record<string, unknown>): AgentInputItem => JSON.parse(String(body));

  return {
    session: (id = randomUUID()) => ({
      getSessionId: async () => id,
      getItems: async (limit) =>
        limit === undefined ? all.all(id).map(parse) : newest.all(id, limit).map(parse).reverse(),
      async addItems(items) {
        database.exec("BEGIN");
        for (const item of items) insert.run(id, JSON.stringify(item));
        database.exec("COMMIT");
      },
      async popItem() {
        const row = pop.get(id);
        return row && parse(row);
      },
      async clearSession() {
        clear.run(id);
      },
    }),
    fork(id) {
      const fork = randomUUID();
      copy.run(fork, id);
      return fork;
    },
    close: () => database.close(),
  };
}
