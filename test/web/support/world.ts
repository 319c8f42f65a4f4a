/** A generated fleet with one sick agent behind the built page, and what axe says of a page. */
import axe from "axe-core";
import type { Page } from "playwright-core";
import { GeneratedFleet, STATUSES } from "../../support/generated-fleet.ts";
import { answerAll } from "./answers.ts";
import { servePage } from "./page-server.ts";

export async function world(folder: string, agents: number, { hostile = false } = {}) {
  const fleet = new GeneratedFleet({ agents, depth: Math.min(14, agents), seed: 11, completed: 0.1 });
  const sick = Math.min(agents - 1, agents > 100 ? fleet.columns.level.indexOf(9) : 7);
  const { columns } = fleet;
  columns.status[sick] = STATUSES.indexOf("failed");
  columns.endedMs[sick] = fleet.timeMs;
  columns.waiting[sick] = "";
  columns.problem[sick] = "the disk is full";
  const parent = columns.parent[sick] ?? 0;
  columns.lastMs[parent] = fleet.timeMs - 5_000;
  if (hostile) {
    columns.name[sick] = "<img src=x onerror=document.title='taken'>";
    columns.name[parent] = "evil\u202egnp.exe\u0007";
    columns.problem[sick] = "</script><b>bold</b> \u2066hidden";
  }
  const server = await servePage(folder, fleet);
  answerAll(server, fleet);
  return { fleet, sick, parent, server, name: columns.name[sick] ?? "", id: columns.id[sick] ?? "" };
}

/** By WCAG A and AA. */
export async function violations(page: Page) {
  await page.evaluate(axe.source);
  const found = await page.evaluate<{
    violations: { id: string; nodes: { html: string; any: { message: string }[] }[] }[];
  }>(
    "axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })",
  );
  return found.violations.map(
    ({ id, nodes }) =>
      `${id}: ${nodes
        .slice(0, 3)
        .map(({ html, any }) => `${html.slice(0, 160)} (${any[0]?.message})`)
        .join("; ")}`,
  );
}
