/** The linter's rules that we count on do find what they are for: a typing error in biome.json would switch them off. */
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

interface Report {
  readonly diagnostics: readonly { readonly category: string }[];
}

interface Output {
  readonly stdout: string;
}

const BAD = `import { join } from "path";
import { Clock } from "./clock.ts";
import { unused } from "./unused.ts";
export default class {
  run(clock: Clock, input: any) {
    // @ts-ignore
    later();
    var text = (input as any).text;
    return join(text!, "a");
  }
}
async function later(): Promise<void> {}
`;

test("the linter finds what it is there for", async () => {
  const found = await lint({ "src/made-up.ts": BAD, "src/MadeUp.ts": "export const a = 1;\n" });
  expect(found).toEqual(
    expect.arrayContaining([
      "lint/correctness/noUnusedImports",
      "lint/nursery/noFloatingPromises",
      "lint/style/noDefaultExport",
      "lint/style/noNonNullAssertion",
      "lint/style/useFilenamingConvention",
      "lint/style/useImportType",
      "lint/style/useNodejsImportProtocol",
      "lint/suspicious/noExplicitAny",
      "lint/suspicious/noTsIgnore",
      "lint/suspicious/noVar",
    ]),
  );
});

test("the linter leaves good code alone", async () => {
  expect(await lint({ "src/made-up.ts": "export const a = 1;\n" })).toEqual([]);
});

/** The categories of what the linter says of made-up files under our configuration. */
async function lint(files: Readonly<Record<string, string>>): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-lint-"));
  try {
    await copyFile(new URL("../../biome.json", import.meta.url), join(folder, "biome.json"));
    await mkdir(join(folder, "src"));
    for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
    const args = ["lint", "--reporter=json", "--vcs-enabled=false", "src"];
    // It exits non-zero when it finds something; what it found is on its output either way.
    const { stdout } = await promisify(execFile)("biome", args, { cwd: folder }).catch((error: Output) => error);
    const report: Report = JSON.parse(stdout);
    return report.diagnostics.map((diagnostic) => diagnostic.category);
  } finally {
    await rm(folder, { recursive: true });
  }
}
