import { expect, test } from "vitest";
import { Starts } from "../../../src/drivers/claude/starts.ts";

const NEVER = new AbortController().signal;

test("a few start at once, the others in the order in which they came; one that is aborted gives up its place", async () => {
  const starts = new Starts(1);
  const entered: string[] = [];
  const stop = new AbortController();
  const come = (name: string, signal = NEVER) => starts.enter(signal).then(() => entered.push(name));
  await come("first");
  const aborted = come("aborted", stop.signal);
  const second = come("second");
  const third = come("third");
  stop.abort("enough");
  await expect(aborted).rejects.toBe("enough");
  expect(entered).toEqual(["first"]);
  starts.leave();
  await second;
  expect(entered).toEqual(["first", "second"]);
  starts.leave();
  await third;
  starts.leave();
  await come("last");
  expect(entered).toEqual(["first", "second", "third", "last"]);
});
