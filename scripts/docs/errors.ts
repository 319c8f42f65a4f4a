/** docs/errors.md: the registry of errors as a table. */
import { ERRORS } from "../../src/base/errors.ts";
import { code, opening, table } from "./markdown.ts";
import { commentsIn, readSource } from "./source.ts";

const SOURCE = "src/base/errors.ts";

export function errorsPage(): string {
  const exitCodes = commentsIn(readSource(SOURCE)).get("ERRORS");
  if (!exitCodes) throw new Error(`${SOURCE} does not say what the exit codes mean`);
  const rows = Object.entries(ERRORS).map(([name, { status, exit, retryable, means, remedy }]) => [
    code(name),
    means,
    remedy,
    retryable ? "yes" : "no",
    String(exit),
    String(status),
  ]);
  return `${opening("Errors", SOURCE)}
Every failure that Banyan reports has one of these codes. Tell errors apart by their code, never by their text. The
same code is the \`code\` of a \`BanyanError\`, of an answer of the API and of the CLI's \`--json\` output.

${exitCodes}

${table(["code", "means", "what to do", "a retry may help", "exit code", "HTTP status"], rows)}
`;
}
