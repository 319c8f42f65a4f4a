#!/usr/bin/env -S node --max-semi-space-size=16
// The `banyan` command. Plain JavaScript that even an old Node can read, so that it can say what is missing.
// Memory for new objects is bounded, or it grows to 100 MB where 16 do (docs/performance.md, "Memory").
// In a clone it runs the sources; the published package carries only `dist`.
import { existsSync } from "node:fs";

const nodeMajorMin = 24;

if (Number(process.versions.node.split(".")[0]) < nodeMajorMin) {
  console.error(`banyan needs Node ${nodeMajorMin} or newer; this is ${process.version} (${process.execPath}).`);
  console.error("Install it from https://nodejs.org, or in a clone of the repository use `npm run banyan -- ...`.");
  process.exit(1);
}

const source = new URL("../src/cli/main.ts", import.meta.url);
await import(existsSync(source) ? source.href : new URL("../dist/cli/main.js", import.meta.url).href);
