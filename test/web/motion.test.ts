/** Whoever wants less motion gets none: nothing moves by itself on any page, whatever one does there. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pastOfGenerated } from "../support/generated-past.ts";
import { buildPage, openPage, startBrowser } from "./support/browser.ts";
import { world } from "./support/world.ts";

/** Notes each animation and transition that begins, by what moves. */
const WATCH = `
  window.moved = [];
  for (const type of ["transitionrun", "animationstart"]) {
    document.addEventListener(type, (event) => {
      moved.push(type + " of " + (event.propertyName ?? event.animationName) + " at " + event.target.outerHTML.slice(0, 80));
    }, true);
  }
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (...given) {
    moved.push("animate at " + this.outerHTML.slice(0, 80));
    return animate.apply(this, given);
  };
`;

let browser: Browser;
let built: Awaited<ReturnType<typeof buildPage>>;

beforeAll(async () => {
  [browser, built] = await Promise.all([startBrowser(), buildPage()]);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await built?.[Symbol.asyncDispose]();
});

const moved = (page: Page) =>
  page.evaluate<string[]>(
    "[...moved, ...document.getAnimations().map((each) => 'runs still at ' + each.effect.target.outerHTML.slice(0, 80))]",
  );

const frames = (page: Page, count: number) =>
  page.evaluate(
    `new Promise((done) => { let left = ${count}; const next = () => (left-- > 0 ? requestAnimationFrame(next) : done()); next(); })`,
  );

async function openWorld(motion: "reduce" | "no-preference") {
  const { server, fleet, id } = await world(built.folder, 40);
  server.answers.history = ({ agents }) => [pastOfGenerated(fleet, agents as string[])];
  const opened = await openPage(browser, `${server.url}/#/triage`, { motion, script: WATCH });
  return { server, fleet, id, opened, page: opened.page };
}

/** Every page, and what opens and closes on it. */
async function visit(page: Page, url: string, id: string): Promise<void> {
  const places: readonly (readonly [hash: string, sign: string, ...keys: string[]])[] = [
    ["#/triage", ".trouble-row", "j", "j", "k"],
    ["#/tree", "[role=row][aria-level]", "j", "h", "l", "l", "z", "z", "n", "/", "Escape"],
    [`#/tree?agent=${id}`, ".step", "Escape"],
    [`#/agent/${id}/checkpoints`, ".points li"],
    [`#/agent/${id}/spending`, ".chart canvas"],
    [`#/agent/${id}/about`, ".about section"],
    ["#/cost", "td.share"],
    ["#/artifacts", "tbody tr"],
    ["#/tree", "[role=row][aria-level]", "?", "Escape", "j", "p", "Escape", ".", "Escape"],
    ["#/time", ".time canvas", "j", "j", "+", "z", "z", "0", "[", "{", "}", "]"],
  ];
  for (const [hash, sign, ...keys] of places) {
    await page.goto(`${url}/${hash}`);
    await page.locator(sign).first().waitFor();
    for (const key of keys) {
      await page.keyboard.press(key);
      await frames(page, 2);
    }
    for (const button of (await page.locator("main button:visible").all()).slice(0, 12)) {
      // What is covered or gone by now needs no pointer.
      await button.hover({ timeout: 300 }).catch(() => undefined);
    }
    await page.locator("main").hover({ position: { x: 300, y: 160 } });
  }
}

test("with reduced motion no animation and no transition runs on any page", async () => {
  const { server, opened, page, id } = await openWorld("reduce");
  try {
    await visit(page, server.url, id);
    expect(await moved(page)).toEqual([]);
    expect(opened.complaints).toEqual([]);
  } finally {
    await opened[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  }
}, 60_000);

/** Pictures of the axis, one a frame, while the picture goes somewhere: how many are different. */
const GO = `(async () => {
  const canvas = document.querySelector(".picture canvas");
  const seen = new Set();
  const look = () => seen.add(canvas.getContext("2d").getImageData(0, 0, canvas.width, 24 * devicePixelRatio).data.join());
  look();
  window.dispatchEvent(new KeyboardEvent("keydown", { key: "+" }));
  for (let frame = 0; frame < 20; frame++) {
    await new Promise((done) => requestAnimationFrame(done));
    look();
  }
  return seen.size;
})()`;

test.each(["reduce", "no-preference"] as const)(
  "the picture over time leaps where it goes, or glides: %s",
  async (motion) => {
    const { server, opened, page } = await openWorld(motion);
    try {
      await page.goto(`${server.url}/#/time`);
      await page.locator(".scrubber output").waitFor();
      await page.evaluate("document.fonts.ready");
      await frames(page, 12);
      const pictures = await page.evaluate<number>(GO);
      if (motion === "reduce") expect(pictures).toBe(2);
      else expect(pictures).toBeGreaterThan(3);
    } finally {
      await opened[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    }
  },
);

test("what the test above looks for is found where motion is welcome", async () => {
  const { server, opened, page } = await openWorld("no-preference");
  try {
    await page.goto(`${server.url}/#/tree`);
    await page.locator("[role=row][aria-level]").first().waitFor();
    for (const key of ["j", "h", "l"]) await page.keyboard.press(key);
    await frames(page, 4);
    expect(await moved(page)).not.toEqual([]);
  } finally {
    await opened[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  }
});
