/**
 * No framework: rows in a SQLite table through `node:sqlite`, WAL with synchronous FULL, one row an event, one transaction a turn.
 * What durability itself costs in one process, without anything that an agent needs around it.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Contender } from "../../core/contender.ts";
import { answer, resultOf } from "../../core/payload.ts";

export const contender: Contender = {
  name: "sqlite-append",
  durable: "every turn, fsync",
  versions: { sqlite: process.versions.sqlite ?? "" },
  note: "no framework: rows in a table, the disk waited for on the main thread; a fork is a row that points at its past",
  async open(folder) {
    const database = new DatabaseSync(join(folder, "events.db"));
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS agents (id TEXT PRIMARY KEY, origin TEXT, origin_seq INTEGER) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS events (agent TEXT, seq INTEGER, body TEXT, PRIMARY KEY (agent, seq));
    `);
    const insertAgent = database.prepare("INSERT INTO agents VALUES (?, ?, ?)");
    const insertEvent = database.prepare("INSERT INTO events VALUES (?, ?, ?)");
    const selectAgent = database.prepare("SELECT origin, origin_seq FROM agents WHERE id = ?");
    const selectEvents = database.prepare("SELECT body FROM events WHERE agent = ? AND seq <= ? ORDER BY seq");
    const lastSeq = database.prepare("SELECT max(seq) AS seq FROM events WHERE agent = ?");

    const durably = (write: () => void) => {
      database.exec("BEGIN");
      write();
      database.exec("COMMIT");
    };

    const one = async (turns: number): Promise<string> => {
      const agent = randomUUID();
      let seq = 0;
      const event = (body: object) => {
        seq += 1;
        insertEvent.run(agent, seq, JSON.stringify(body));
      };
      durably(() => {
        insertAgent.run(agent, null, null);
        event({ role: "user", content: "go" });
      });
      for (let had = 0; had <= turns; had += 1) {
        await undefined;
        const { text, call } = answer(had, turns);
        durably(() => {
          event({ role: "assistant", content: text, call });
          if (call) event({ role: "tool", call: call.id, content: resultOf(call.step) });
        });
      }
      return agent;
    };

    const history = (agent: string, to: number): object[] => {
      const { origin, origin_seq } = selectAgent.get(agent) ?? {};
      const own = selectEvents.all(agent, to).map(({ body }) => JSON.parse(String(body)));
      return origin ? [...history(String(origin), Number(origin_seq)), ...own] : own;
    };

    return {
      run: ({ agents, turns }) => Promise.all(Array.from({ length: agents }, () => one(turns))),
      load: async (agent) => history(agent, Number.MAX_SAFE_INTEGER).length,
      async fork(agent) {
        const fork = randomUUID();
        insertAgent.run(fork, agent, Number(lastSeq.get(agent)?.seq));
        return fork;
      },
      async close() {
        database.close();
      },
    };
  },
};
