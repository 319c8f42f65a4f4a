/**
 * The environment of a command. It is made from a list of what is let through, because a list of what is kept back always lacks
 * the next secret: provider keys, tokens and the way to the person's own configuration are in the environment of Banyan.
 */

/**
 * Holds the marks of the calls that a process was started by, separated by spaces: more than one when a command starts a Banyan
 * of its own.
 */
export const MARKS_VARIABLE = "BANYAN_CALLS";

/**
 * @param folder for HOME and temporary files, of this command alone
 * @param added marks, without spaces in them
 */
export function commandEnvironment(
  ambient: NodeJS.ProcessEnv,
  folder: string,
  ...added: readonly string[]
): Record<string, string> {
  const passed = PASSED.flatMap((name) => {
    const value = ambient[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const marks = [...(ambient[MARKS_VARIABLE]?.split(" ") ?? []), ...added].join(" ");
  return { PATH: DEFAULT_PATH, ...Object.fromEntries(passed), HOME: folder, TMPDIR: folder, [MARKS_VARIABLE]: marks };
}

const PASSED = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ"];
const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";
