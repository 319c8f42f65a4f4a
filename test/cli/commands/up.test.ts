/** `banyan up` and `banyan token`, as a person starts them. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { banyan } from "../../support/command-line.ts";

/** Runs `banyan up` for as long as `work` lasts. */
async function whileUp(data: string, work: (told: { url: string; token: string | null }) => Promise<void>) {
  const interrupt = new AbortController();
  const told = Promise.withResolvers<string>();
  const words = ["up", "--port", "0", "--json", "--data", data];
  const ended = banyan(words, { interrupted: interrupt.signal, onOut: told.resolve });
  await work(JSON.parse(await Promise.race([told.promise, ended.then(({ err }) => err)])));
  interrupt.abort();
  return await ended;
}

test("the first start shows a token, others none; people get their own, which can be revoked while it runs", async () => {
  const data = mkdtempSync(join(tmpdir(), "banyan-up-"));
  try {
    const stats = (url: string, token: string) =>
      fetch(`${url}/v1/stats`, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    const first = await whileUp(data, async ({ url, token }) => {
      expect((await stats(url, token ?? "")).status).toBe(200);
      const made = await banyan([
        "token",
        "create",
        "ada",
        "--role",
        "operator",
        "--days",
        "7",
        "--json",
        "--data",
        data,
      ]);
      const { token: hers } = JSON.parse(made.out);
      expect((await stats(url, hers)).status).toBe(200);
      const listed = await banyan(["token", "ls", "--data", data]);
      expect(listed.out).toMatch(/owner {2}admin[\s\S]*ada {2}operator {2}until 2/);
      expect(listed.out).not.toContain(hers);
      expect((await banyan(["token", "revoke", "ada", "--data", data])).exit).toBe(0);
      expect((await stats(url, hers)).status).toBe(401);
      expect((await banyan(["token", "revoke", "ada", "--data", data])).exit).toBe(3);
    });
    expect(first.exit).toBe(0);
    const second = await whileUp(data, async ({ token }) => expect(token).toBeNull());
    expect(second.exit).toBe(0);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});

test("K2: an empty folder of tokens, left by an older start that was cut short, gets its first token and says why", async () => {
  const data = mkdtempSync(join(tmpdir(), "banyan-up-"));
  try {
    mkdirSync(join(data, "access"));
    const first = await whileUp(data, async ({ token }) => expect(token).toMatch(/^[\w-]{43}$/));
    expect([first.exit, first.err]).toEqual([0, expect.stringContaining("was there without a token")]);
    const second = await whileUp(data, async ({ token }) => expect(token).toBeNull());
    expect([second.exit, second.err]).toEqual([0, expect.not.stringContaining("was there without a token")]);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
});
