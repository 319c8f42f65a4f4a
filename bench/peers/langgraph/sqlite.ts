/**
 * `node:sqlite` in the clothes of `better-sqlite3`, for the checkpointer: it takes a database that it is given, and `better-sqlite3` needs a
 * compiler or a download. The same SQLite as every other contender's, with the setting that `better-sqlite3` would have: synchronous
 * NORMAL under WAL, which does not sync at every commit.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

/** What the checkpointer uses of `better-sqlite3`. */
export interface Database {
  pragma(text: string): void;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  transaction<A extends readonly unknown[]>(work: (...args: A) => void): (...args: A) => void;
  close(): void;
}

type Values = readonly (SQLInputValue | undefined)[];

interface Statement {
  run(...values: Values): void;
  get(...values: Values): unknown;
  all(...values: Values): unknown[];
}

export function openDatabase(path: string): Database {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA synchronous = NORMAL");
  const statements = new Map<string, Statement>();
  return {
    pragma: (text) => database.exec(`PRAGMA ${text}`),
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const known = statements.get(sql) ?? statementOf(database.prepare(sql));
      statements.set(sql, known);
      return known;
    },
    transaction:
      (work) =>
      (...args) => {
        database.exec("BEGIN");
        try {
          work(...args);
          database.exec("COMMIT");
        } catch (error) {
          database.exec("ROLLBACK");
          throw error;
        }
      },
    close: () => database.close(),
  };
}

/** `better-sqlite3` takes what is undefined for NULL. */
function statementOf(statement: StatementSync): Statement {
  const bound = (values: Values) => values.map((value) => value ?? null);
  return {
    run: (...values) => void statement.run(...bound(values)),
    get: (...values) => statement.get(...bound(values)),
    all: (...values) => statement.all(...bound(values)),
  };
}
