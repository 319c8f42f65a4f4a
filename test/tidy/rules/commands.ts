/** A command is a list of arguments. A shell would read a file name or a model's words as its own syntax. */
import type { Finding, Rule } from "../rule.ts";
import { type Source, visit } from "../source.ts";

const INSTEAD = "start the program with spawn() or execFile() and a list of arguments";
const SHELLS = new Set(["exec", "execSync"]);

export const commands: Rule = {
  name: "no command goes through a shell",
  check: checkCommands,
  bad: [
    ["src/tools/a.ts", 'import { exec } from "node:child_process";'],
    ["scripts/a.ts", 'import { execSync as run } from "child_process";'],
    ["src/tools/a.ts", 'import * as processes from "node:child_process"; processes.exec("ls");'],
    ["src/tools/a.ts", 'spawn("ls", [name], { cwd, shell: true });'],
    ["src/tools/a.ts", 'spawn("ls", [name], { "shell": "/bin/bash" });'],
  ],
  good: [
    ["src/tools/a.ts", 'import { execFile, spawn } from "node:child_process"; spawn("ls", [name], { shell: false });'],
    ["src/tools/a.ts", "const found = /a/.exec(text); database.exec(sql);"],
  ],
};

function checkCommands(source: Source): Finding[] {
  const findings: Finding[] = [];
  const find = (node: { start: number }, what: string) =>
    findings.push({ path: source.path, line: source.lineAt(node.start), message: `${what}: ${INSTEAD}` });
  visit(source, {
    ImportDeclaration(node) {
      if (!/^(node:)?child_process$/.test(node.source.value)) return;
      for (const specifier of node.specifiers) {
        if (specifier.type !== "ImportSpecifier") find(specifier, "child_process as a whole hides what is called");
        else if (specifier.imported.type === "Identifier" && SHELLS.has(specifier.imported.name)) {
          find(specifier, specifier.imported.name);
        }
      }
    },
    Property(node) {
      const name = node.key.type === "Identifier" ? node.key.name : node.key.type === "Literal" ? node.key.value : "";
      const off = node.value.type === "Literal" && node.value.value === false;
      const callsShell = name === "shell" && node.value.type === "Literal" && !off;
      if (callsShell) find(node, "shell");
    },
  });
  return findings;
}
