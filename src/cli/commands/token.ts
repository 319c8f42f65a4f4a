/** `banyan token`: who may ask the server of `banyan up`. */
import { InvalidArgumentError, Option } from "commander";
import { BanyanError } from "../../base/errors.ts";
import { systemRandom } from "../../base/random.ts";
import { hasData } from "../../runtime/open.ts";
import { AccessTokens, ROLES, type Role } from "../../server/access-tokens.ts";
import { type CommonOptions, dataCommand, dataFolder, type Register, wholeNumber } from "../command.ts";
import { type Io, print, printJson } from "../io.ts";

interface CreateOptions extends CommonOptions {
  readonly role: Role;
  readonly days?: number;
}

const DAY_MS = 86_400_000;
const DAYS_MAX = 3_650;

export const register: Register = (program, io) => {
  const token = program.command("token").description("who may ask the server of `banyan up`");
  dataCommand(token, "create <name>", "make a token for a person; it is shown once", "{name, role, endTime, token}")
    .addOption(
      new Option("--role <role>", "look, command agents, or stop the process too").choices(ROLES).default("viewer"),
    )
    .option("--days <count>", "how long it is valid (default: until it is revoked)", days)
    .action(async (name: string, { role, days, ...options }: CreateOptions) => {
      const endTime = days === undefined ? null : io.clock.now() + days * DAY_MS;
      const made = (await tokensOf(io, options)).create({ name, role, endTime });
      if (options.json) await printJson(io, { name, role, endTime, token: made });
      else await print(io, made);
    });
  dataCommand(token, "ls", "list the tokens", "a line for each: {name, role, createdTime, endTime}").action(
    async (options: CommonOptions) => {
      for (const { name, role, createdTime, endTime } of (await tokensOf(io, options)).list()) {
        const until = endTime === null ? "until it is revoked" : `until ${new Date(endTime).toISOString()}`;
        if (options.json) await printJson(io, { name, role, createdTime, endTime });
        else await print(io, `${name}  ${role}  ${until}`);
      }
    },
  );
  dataCommand(token, "revoke <name>", "have a token open nothing from now on", "{name}").action(
    async (name: string, options: CommonOptions) => {
      (await tokensOf(io, options)).revoke(name);
      if (options.json) await printJson(io, { name });
      else await print(io, `${name} is revoked`);
    },
  );
};

async function tokensOf(io: Io, options: CommonOptions): Promise<AccessTokens> {
  const folder = await dataFolder(io, options);
  if (!(await hasData(folder))) throw new BanyanError("DATA_NOT_FOUND", `no Banyan data in ${folder}`);
  return new AccessTokens(folder, { clock: io.clock, random: systemRandom });
}

function days(text: string): number {
  const value = wholeNumber(text);
  if (value < 1 || value > DAYS_MAX) throw new InvalidArgumentError(`1 to ${DAYS_MAX} days`);
  return value;
}
