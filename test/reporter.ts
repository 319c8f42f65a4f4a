/** Ends a test run with one plain line, `N passed, N failed[, N skipped]`, for people and for CI to read. */
import type { Reporter, TestModule } from "vitest/node";

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    console.log(summaryLine(modules, unhandledErrors.length));
  }
}

/**
 * The line. A file that could not be loaded and an error outside every test count as failed too: a run that executed
 * less than it should must not read as a pass.
 */
function summaryLine(modules: readonly TestModule[], errorsOutside: number): string {
  const count = { passed: 0, failed: errorsOutside, skipped: 0 };
  for (const module of modules) {
    const failedBefore = count.failed;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed" || state === "skipped") count[state]++;
      else count.failed++;
    }
    // Its load, or a hook of it, failed, and no test of it tells.
    if (module.state() === "failed" && count.failed === failedBefore) count.failed++;
  }
  return `${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ""}`;
}
