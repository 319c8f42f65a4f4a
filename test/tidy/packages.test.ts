/**
 * What is installed is what was tested: exact versions in package.json, and a lock file that `npm ci` takes. It refuses one
 * that lacks an optional package, even of another platform, and such a lock works only where it was written.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

interface Package {
  /** Where it was downloaded: a host of someone's, so it is left out. */
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

type Lock = Readonly<Record<string, Package>>;

const ROOT = new URL("../../", import.meta.url);
/** Our own packages, and those that the benchmarks measure beside us, which have their own. */
const FOLDERS = ["", ...globSync("bench/peers/*/", { cwd: fileURLToPath(ROOT) }).map((folder) => `${folder}/`)];

const readJson = (name: string) => JSON.parse(readFileSync(new URL(name, ROOT), "utf8"));

function loose({ dependencies, devDependencies }: Package): string[] {
  const all = Object.entries({ ...dependencies, ...devDependencies });
  return all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version)).map(([name, version]) => `${name} ${version}`);
}

/** Packages that the lock's packages ask for and the lock does not have, where they could be found. */
function missing(packages: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !placesOf(path, name).some((place) => place in packages))
      .map((name) => `${path || "."} needs ${name}`),
  );
}

/** `node_modules` beside the package and every one above it. */
function placesOf(path: string, name: string): string[] {
  const parts = path === "" ? [] : path.split(/(?:^|\/)node_modules\//).slice(1);
  return Array.from({ length: parts.length + 1 }, (_, depth) =>
    [...parts.slice(0, depth), name].map((part) => `node_modules/${part}`).join("/"),
  );
}

test("a loose version is found", () => {
  expect(loose({ dependencies: { a: "^1.2.3", b: "1.2.3" }, devDependencies: { c: "latest" } })).toEqual([
    "a ^1.2.3",
    "c latest",
  ]);
});

test("a package that the lock lacks is found", () => {
  const packages = {
    "": { dependencies: { "@a/b": "1.0.0" } },
    "node_modules/@a/b": { optionalDependencies: { c: "1", d: "1" } },
    "node_modules/@a/b/node_modules/c": { dependencies: { e: "1" } },
    "node_modules/e": {},
  };
  expect(missing(packages)).toEqual(["node_modules/@a/b needs d"]);
});

test("the peers of the benchmarks are seen", () => {
  expect(FOLDERS).toContain("bench/peers/ai-sdk/");
});

describe.each(FOLDERS)("./%s", (folder) => {
  const manifest: Package = readJson(`${folder}package.json`);
  const isPlain = !manifest.dependencies && !existsSync(new URL(`${folder}package-lock.json`, ROOT));
  const lock: Lock = isPlain ? { "": {} } : readJson(`${folder}package-lock.json`).packages;

  test("dependencies are pinned", () => {
    expect(loose(manifest)).toEqual([]);
  });

  test("the lock file is whole, and of this package.json", () => {
    expect(missing(lock)).toEqual([]);
    const { dependencies, devDependencies } = lock[""] ?? {};
    expect({ dependencies, devDependencies }).toEqual({
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    });
  });

  test("the lock file names no host", () => {
    expect(Object.values(lock).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });
});
