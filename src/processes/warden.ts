/**
 * The warden: a small program of its own that outlives this one by a moment. It reads from a pipe which groups run; when the
 * pipe ends, because this process closed it or died, however it died, it kills those groups and everything that carries the mark of
 * this host, or a limit of it (limit-mark.ts). So nothing that an agent started outlives the host, what left its group and cleaned its
 * environment included.
 *
 * D1  A group is known to the warden before its program begins.
 * D2  The warden is in a session of its own: what ends this process's group does not end it. One that is gone is replaced.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Writable } from "node:stream";
import { BYTES_OF_KIB, type LimitRange } from "./limit-mark.ts";

/**
 * For any POSIX shell. Lines: `+ GROUP` and `- GROUP`; any other only shows that it is read. Then rounds of looking for the mark, until a round finds nothing. What is given
 * as $1 stands in no environment, so the warden never finds itself. $2 and $3 bound the limits of this host's programs, in bytes.
 */
const SCRIPT = `
groups=
while read -r what group; do
  kept=
  for each in $groups; do [ "$each" = "$group" ] || kept="$kept $each"; done
  groups=$kept
  [ "$what" = + ] && groups="$groups $group"
done
for each in $groups; do kill -9 "-$each" 2>/dev/null; done
rounds=0
while [ $rounds -lt 100 ]; do
  found=$(
    grep -lazF -- "$1" /proc/[0-9]*/environ 2>/dev/null
    [ -z "$2" ] || grep -s "^Max resident set" /proc/[0-9]*/limits | while read -r file _ _ _ hard _; do
      case $hard in *[!0-9]*) continue ;; esac
      [ "$hard" -ge "$2" ] && [ "$hard" -le "$3" ] || continue
      read -r stat 2>/dev/null < "\${file%%limits*}stat" || continue
      case \${stat##*\\) } in [ZX]*) ;; *) echo "$file" ;; esac
    done
  )
  [ -n "$found" ] || break
  for each in $found; do each=\${each#/proc/}; kill -9 "\${each%/*}" 2>/dev/null; done
  rounds=$((rounds + 1))
done
`;

/** Wardens that are begun in place of one another before this is given up. */
const BEGUN_MAX = 100;

export class Warden {
  readonly #mark: string;
  readonly #limits: readonly string[];
  readonly #groups = new Set<number>();
  #child: ChildProcess | undefined;
  #closing = false;
  #begun = 0;

  /** @param mark in the environment of everything that this host starts; `limits` are what no other host's programs have */
  constructor(mark: string, limits?: LimitRange) {
    this.#mark = mark;
    this.#limits = limits ? [limits.from, limits.to].map((kib) => String(BigInt(kib) * BYTES_OF_KIB)) : [];
  }

  /** Has one run, for what is marked and has no group yet. */
  async begin(): Promise<void> {
    const child = this.#running();
    if (child) await tell(child, "= 0\n");
  }

  /** D1. */
  async watch(group: number): Promise<void> {
    this.#groups.add(group);
    const child = this.#running();
    if (child) await tell(child, `+ ${group}\n`);
  }

  forget(group: number): void {
    this.#groups.delete(group);
    this.#child?.stdin?.write(`- ${group}\n`);
  }

  /** Resolves when the warden has looked a last time and is gone. */
  async close(): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (!child) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    // Its end is waited for, so this process must not end before.
    child.ref();
    child.stdin?.end();
    await gone;
  }

  /** The warden that runs; a new one, told of all groups, when there is none. */
  #running(): ChildProcess | undefined {
    if (this.#child || this.#begun === BEGUN_MAX) return this.#child;
    this.#begun += 1;
    const child = spawn("/bin/sh", ["-c", SCRIPT, "banyan-warden", this.#mark, ...this.#limits], {
      cwd: "/",
      detached: true,
      env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#child = child;
    const onGone = () => {
      if (this.#child === child) this.#child = undefined;
    };
    child.once("exit", () => {
      onGone();
      // D2: whoever ended it did not mean what runs.
      if (!this.#closing && this.#groups.size > 0) this.#running();
    });
    // It could not be started: what runs is found by its mark when the data is opened again.
    child.once("error", onGone);
    child.stdin?.on("error", () => undefined);
    // It does not keep this process alive.
    child.unref();
    (child.stdin as (Writable & { unref?(): void }) | null)?.unref?.();
    for (const group of this.#groups) child.stdin?.write(`+ ${group}\n`);
    return child;
  }
}

/** Resolves when the line is on its way: the kernel keeps it, whatever happens to this process. */
function tell({ stdin }: ChildProcess, line: string): Promise<void> {
  return new Promise((resolve) => {
    if (!stdin?.writable) return resolve();
    stdin.write(line, () => resolve());
  });
}
