/** `banyan config check`: the settings in force, where each comes from, and what is wrong with them. */
import { loadSettings, SETTINGS, type SettingName, variableOf } from "../../runtime/settings.ts";
import type { Register } from "../command.ts";
import { print, printJson } from "../io.ts";
import { tableOf } from "../table.ts";

interface Options {
  readonly config?: string;
  readonly json?: boolean;
}

export const register: Register = (program, io) => {
  const config = program.command("config").description("look at the settings").helpCommand(false);
  config
    .command("check")
    .description("print the settings in force and where each comes from; exits 2 when one is wrong")
    .option("--config <file>", "settings file (default: banyan.json in the working folder)")
    .option("--json", "print JSON: an array of {name, value, source, variable}")
    .action(async ({ config: file, json }: Options) => {
      const { settings, sources } = await loadSettings({ environment: io.environment, folder: io.folder, file });
      const rows = (Object.keys(SETTINGS.shape) as SettingName[]).map((name) => {
        return { name, value: settings[name] ?? null, source: sources[name], variable: variableOf(name) };
      });
      if (json) return printJson(io, rows);
      const cells = rows.map(({ name, value, source, variable }) => [name, value ?? "none", source, variable]);
      await print(io, tableOf(["SETTING", "VALUE", "FROM", "VARIABLE"], cells));
    });
};
