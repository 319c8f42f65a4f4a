import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRedactor, secretsOf } from "../../src/base/redact.ts";

const redact = createRedactor({ secrets: ["correct horse", "correct horse battery", "short", "a+b(c)*d$e^f"] });
const BODY = `${"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(3)}abc=`;
const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${BODY}\n-----END RSA PRIVATE KEY-----`;

describe("known forms", () => {
  test.each([
    ["anthropic", `sk-ant-api03-${"Ab_-".repeat(20)}`],
    ["openai", `sk-proj-${"Ab_-".repeat(20)}`],
    ["openai", `sk-${"a1B2".repeat(12)}`],
    ["github", `ghp_${"a1B2".repeat(9)}`],
    ["github", `gho_${"a1B2".repeat(9)}`],
    ["github", `github_pat_${"a1_B2".repeat(16)}`],
    ["aws", "AKIAIOSFODNN7EXAMPLE"],
    ["slack", "xoxb-2345678901-abcdefGHIJK"],
    ["google", `AIza${"Sy_-a".repeat(7)}`],
    ["jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"],
    ["key", PEM],
    ["key", PEM.replaceAll("RSA ", "").replaceAll("\n", "\\n")],
    ["key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\nlQ+=\n-----END PGP PRIVATE KEY BLOCK-----"],
    ["value", "correct horse battery"],
    ["value", "a+b(c)*d$e^f"],
  ])("%s: %s", (kind, secret) => {
    expect(redact(secret)).toBe(`[redacted:${kind}]`);
    expect(redact(`key="${secret}", then`)).toBe(`key="[redacted:${kind}]", then`);
    expect(redact(`${secret} ${secret}`)).toBe(`[redacted:${kind}] [redacted:${kind}]`);
  });

  test("the longest of the given values is meant; those under 12 characters are left", () => {
    expect(redact("correct horse battery, correct horse, short")).toBe("[redacted:value], [redacted:value], short");
  });

  test("a key block that is cut off goes with the lines that there are", () => {
    const cut = PEM.slice(0, 150);
    expect(redact(`before ${cut}`)).toBe("before [redacted:key]");
    expect(redact(`${cut}\n. The rest is lost; -----BEGIN CERTIFICATE----- is none.`)).toBe(
      "[redacted:key]. The rest is lost; -----BEGIN CERTIFICATE----- is none.",
    );
  });

  test("two blocks are two", () => {
    expect(redact(`${PEM}\nand\n${PEM}`)).toBe("[redacted:key]\nand\n[redacted:key]");
  });
});

describe("what is no secret", () => {
  test.each([
    "a task-list of sk- keys, and sk-learn-contrib-project-names-of-some-length",
    "disk-0123456789012345678901234567890123456789",
    "AKIA is how they begin; BAKIAIOSFODNN7EXAMPLE is no key",
    "eyJ alone, eyJhbGciOiJIUzI1NiJ9 without the rest",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "ghp_short, AIza, xoxb-, github_pat_x",
  ])("X2: %s", (text) => {
    expect(redact(text)).toBe(text);
  });

  test("values of the environment that are named like secrets", () => {
    const environment = {
      ANTHROPIC_API_KEY: "one",
      GITHUB_TOKEN: "two",
      DB_PASSWORD: "three",
      AWS_SECRET_ACCESS_KEY: "four",
      SSH_KEY: "/home/me/.ssh/id",
      KEYBOARD: "us",
      TOKENIZER: "bpe",
      PATH: "/bin",
      API_TOKEN: undefined,
    };
    expect(secretsOf(environment)).toEqual(["one", "two", "three", "four"]);
  });
});

describe("properties", () => {
  test("X3: what was redacted stays as it is", () => {
    const piece = fc.constantFrom(
      PEM,
      PEM.slice(0, 99),
      `sk-ant-${"a".repeat(30)}`,
      "AKIAIOSFODNN7EXAMPLE",
      "correct horse",
      "eyJ",
      "\n",
    );
    const text = fc.array(fc.oneof(piece, fc.string())).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (each) => {
        const once = redact(each);
        expect(redact(once)).toBe(once);
      }),
    );
  });

  const piles = [
    "eyJ",
    "eyJaaaaaaaaaaaa.",
    "sk-",
    "sk-ant-",
    "sk-proj-",
    "ghp_",
    "github_pat_",
    "xoxb-",
    "AKIA",
    "AIza",
    "a".repeat(99),
  ];
  const blocks = [
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN A PRIVATE KEY-----\n",
    "-----END PRIVATE KEY-----",
    "-",
  ];

  test("X1: time grows with the text, whatever is piled up", () => {
    const cpuMs = (text: string) => {
      const start = process.cpuUsage().user;
      redact(text);
      return (process.cpuUsage().user - start) / 1_000;
    };
    for (const pile of [...piles, ...blocks, "\n"]) {
      const text = `-----BEGIN PRIVATE KEY-----${pile.repeat(2_000_000 / pile.length)}`;
      // Linear takes under 50 ms for each of these, quadratic some hours.
      expect(cpuMs(text), pile).toBeLessThan(1_000);
      expect(cpuMs(text.slice(27)), pile).toBeLessThan(1_000);
    }
  });
});
