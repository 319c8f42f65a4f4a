/**
 * Takes secrets out of texts before they are journaled, stored or shown in an error: keys of well-known forms, and
 * values that the process was given.
 *
 * X1  Time is linear in the text, whatever the text: no pattern restarts inside a run that it has read already.
 * X2  A text without a hit comes back as the same string after one scan.
 * X3  What was redacted stays as it is when it is redacted again.
 */

/** Replaces every secret in a text with `[redacted:kind]`. */
export type Redact = (text: string) => string;

/** Shorter values would be found by chance in ordinary text. */
const SECRET_LENGTH_MIN = 12;

/** `secrets`: exact values to take out as well, such as keys from the environment; those under 12 characters are left. */
export function createRedactor({ secrets = [] }: { secrets?: readonly string[] } = {}): Redact {
  const values = secrets.filter((secret) => secret.length >= SECRET_LENGTH_MIN);
  // Longest first: where one value begins another, the longer one is meant.
  const exact = [...new Set(values)].sort((a, b) => b.length - a.length).map(RegExp.escape);
  const given = exact.length > 0 ? new RegExp(exact.join("|"), "g") : undefined;
  return (text) => {
    // Values first: a form that stands right behind one begins only once it is gone (X3).
    const open = given ? text.replace(given, "[redacted:value]") : text;
    return HINT.test(open) ? redactKeyBlocks(open).replace(KNOWN, named) : open;
  };
}

const SECRET_NAME =
  /(?:^|_)(?:(?:API|ACCESS|PRIVATE)?KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL)S?(?:_|$)/i;

/** Values of the environment's variables that are named like secrets. A path to one is none. */
export function secretsOf(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && SECRET_NAME.test(name) && !value.startsWith("/") ? [value] : [],
  );
}

/** Begins of the forms below; a text without any of them needs no closer look. */
const HINT = /sk-|gh[oprsu]_|github_pat_|A[KS]IA|xox[abeoprs]-|AIza|eyJ|-----BEGIN /;

/**
 * The forms, as their issuers document them or their keys look. Each begins where no character of its own alphabet stands
 * before it, which keeps both words such as `task-...` and X1 safe.
 */
const FORMS = {
  anthropic: "(?<![\\w-])sk-ant-[\\w-]{20,}",
  openai: "(?<![\\w-])sk-(?:(?:proj|svcacct|admin)-[\\w-]{20,}|[A-Za-z0-9]{32,})",
  github: "(?<!\\w)(?:gh[oprsu]_[A-Za-z0-9]{36,}|github_pat_\\w{22,})",
  aws: "(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])",
  slack: "(?<![\\w-])xox[abeoprs]-[A-Za-z0-9-]{10,}",
  google: "(?<![\\w-])AIza[\\w-]{35}(?![\\w-])",
  jwt: "(?<![\\w-])eyJ[\\w-]{10,}\\.eyJ[\\w-]{10,}\\.[\\w-]{10,}",
};
const KINDS = Object.keys(FORMS);
const KNOWN = new RegExp(
  Object.values(FORMS)
    .map((form) => `(${form})`)
    .join("|"),
  "g",
);

function named(_hit: string, ...groups: unknown[]): string {
  const found = groups.findIndex((group) => group !== undefined);
  return `[redacted:${KINDS[found]}]`;
}

const BLOCK_BEGIN = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const BLOCK_END = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
/** Lines of a key whose end was cut off, up to the size of the largest; `\n` may be spelt out, as inside JSON. */
const KEY_LINES = /(?:\s|\\[nr]|[A-Za-z0-9+/=]{40,}){0,1024}[A-Za-z0-9+/=]{0,39}/y;

/** PEM private keys, whole or cut off. Not a single pattern, for X1: many begins without an end would be quadratic. */
function redactKeyBlocks(text: string): string {
  let out = "";
  let from = 0;
  let end: { at: number; after: number } | undefined = { at: -1, after: -1 };
  BLOCK_BEGIN.lastIndex = 0;
  for (let begin = BLOCK_BEGIN.exec(text); begin; begin = BLOCK_BEGIN.exec(text)) {
    const body = begin.index + begin[0].length;
    while (end && end.at < body) end = nextEnd(text, Math.max(body, end.after));
    const after = end ? end.after : lastKeyLine(text, body);
    out += `${text.slice(from, begin.index)}[redacted:key]`;
    from = after;
    BLOCK_BEGIN.lastIndex = after;
  }
  return from === 0 ? text : out + text.slice(from);
}

function nextEnd(text: string, from: number): { at: number; after: number } | undefined {
  BLOCK_END.lastIndex = from;
  const found = BLOCK_END.exec(text);
  return found ? { at: found.index, after: BLOCK_END.lastIndex } : undefined;
}

function lastKeyLine(text: string, from: number): number {
  KEY_LINES.lastIndex = from;
  KEY_LINES.test(text);
  return KEY_LINES.lastIndex;
}
