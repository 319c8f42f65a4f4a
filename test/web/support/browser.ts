import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Of one step: a page that does not get there says where it stands. */
const TIMEOUT_MS = 8_000;
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}

/** Builds the page into a folder of its own. */
export async function buildPage(): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), "banyan-page-"));
  // In a process of its own, whose environment is not that of tests: it is the page that people get.
  const env = { ...process.env, NODE_ENV: "production" };
  const args = ["build", "--logLevel", "error", "--outDir", folder, "--emptyOutDir"];
  await promisify(execFile)("vite", args, { cwd: ROOT, env });
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page has complained of: errors, and what its policy refused. */
  readonly complaints: readonly string[];
}

interface Wanted {
  readonly theme?: "light" | "dark";
  readonly width?: number;
  readonly motion?: "reduce" | "no-preference";
  /** Runs in the page before anything of its own. */
  readonly script?: string;
}

export async function openPage(
  browser: Browser,
  url: string,
  { theme = "dark", width = 1280, motion = "reduce", script }: Wanted = {},
): Promise<OpenedPage> {
  const context: BrowserContext = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: theme,
    reducedMotion: motion,
  });
  if (script !== undefined) await context.addInitScript(script);
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // A request that is refused is for the page to deal with.
    if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
