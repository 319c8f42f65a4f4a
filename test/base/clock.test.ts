import { describe, expect, test, vi } from "vitest";
import { ManualClock, sleep, systemClock } from "../../src/base/clock.ts";

describe("ManualClock", () => {
  test("stands still until it is moved, and moves both times alike", () => {
    const clock = new ManualClock(1_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
    clock.advance(250);
    expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250]);
  });

  test("timers fire in order of due time, then of creation, each at its own time", () => {
    const clock = new ManualClock(0);
    const fired: [string, number][] = [];
    const at = (name: string, delayMs: number) => clock.timer(delayMs, () => fired.push([name, clock.monotonic()]));
    at("late", 30);
    at("first of two", 10);
    at("second of two", 10);
    at("in between", 20);
    at("now", -5);
    clock.advance(25);
    expect(fired).toEqual([
      ["now", 0],
      ["first of two", 10],
      ["second of two", 10],
      ["in between", 20],
    ]);
    expect([clock.pending, clock.untilNext()]).toEqual([1, 5]);
    clock.advance(5);
    expect(fired.at(-1)).toEqual(["late", 30]);
    expect([clock.pending, clock.untilNext()]).toEqual([0, undefined]);
  });

  test("a timer that is due exactly at the end fires", () => {
    const clock = new ManualClock();
    let fired = 0;
    clock.timer(10, () => fired++);
    clock.advance(9);
    expect(fired).toBe(0);
    clock.advance(1);
    expect(fired).toBe(1);
  });

  test("a cancelled timer never fires; cancelling again, or after it fired, is harmless", () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    const kept = clock.timer(10, () => fired.push("kept"));
    const cut = clock.timer(10, () => fired.push("cut"));
    cut.cancel();
    cut.cancel();
    clock.advance(10);
    kept.cancel();
    expect(fired).toEqual(["kept"]);
    expect(clock.pending).toBe(0);
  });

  test("a timer may cancel one that is due at the same moment", () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    clock.timer(10, () => {
      fired.push("first");
      second.cancel();
    });
    const second = clock.timer(10, () => fired.push("second"));
    clock.advance(10);
    expect(fired).toEqual(["first"]);
  });

  test("timers set by timers fire in the same move when they fall due in it", () => {
    const clock = new ManualClock();
    const fired: number[] = [];
    const tick = () => {
      fired.push(clock.monotonic());
      clock.timer(10, tick);
    };
    clock.timer(10, tick);
    clock.advance(35);
    expect(fired).toEqual([10, 20, 30]);
    expect(clock.untilNext()).toBe(5);
  });

  test("a timer that moves the clock itself never takes time back", () => {
    const clock = new ManualClock(0);
    const seen: number[] = [];
    clock.timer(5, () => clock.advance(100));
    clock.timer(50, () => seen.push(clock.monotonic()));
    clock.advance(10);
    expect(seen).toEqual([50]);
    expect([clock.monotonic(), clock.now()]).toEqual([105, 105]);
  });

  test("a jump of the wall clock moves neither monotonic time nor timers", () => {
    const clock = new ManualClock(1_000_000);
    let fired = 0;
    clock.timer(10, () => fired++);
    clock.jumpTo(5);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([5, 0, 0]);
    clock.advance(10);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([15, 10, 1]);
  });
});

describe("sleep", () => {
  test("resolves when its time has come, not before", async () => {
    const clock = new ManualClock();
    let awake = false;
    const slept = sleep(clock, 10).then(() => {
      awake = true;
    });
    clock.advance(9);
    await Promise.resolve();
    expect(awake).toBe(false);
    clock.advance(1);
    await slept;
    expect(awake).toBe(true);
  });

  test("rejects with the signal's reason and leaves no timer behind", async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const slept = sleep(clock, 10, stop.signal);
    stop.abort("enough");
    await expect(slept).rejects.toBe("enough");
    expect(clock.pending).toBe(0);
  });

  test("rejects at once under a signal that was aborted before", async () => {
    const clock = new ManualClock();
    await expect(sleep(clock, 10, AbortSignal.abort("before"))).rejects.toBe("before");
    expect(clock.pending).toBe(0);
  });

  test("an abort after it resolved changes nothing", async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const slept = sleep(clock, 10, stop.signal);
    clock.advance(10);
    stop.abort("late");
    await expect(slept).resolves.toBeUndefined();
  });
});

describe("systemClock", () => {
  test("a timer fires once, no sooner than asked by its own monotonic time", async () => {
    const clock = systemClock();
    for (const delayMs of [0, 1, 1.9, 5]) {
      const startedMs = clock.monotonic();
      await new Promise<void>((resolve) => void clock.timer(delayMs, resolve));
      expect(clock.monotonic() - startedMs).toBeGreaterThanOrEqual(delayMs);
    }
  });

  test("a delay longer than the platform's timers hold fires when it is over, once", () => {
    vi.useFakeTimers();
    try {
      let fired = 0;
      systemClock().timer(2 ** 32, () => fired++);
      vi.advanceTimersByTime(2 ** 32 - 1);
      expect(fired).toBe(0);
      vi.advanceTimersByTime(2);
      expect(fired).toBe(1);
      const cut = systemClock().timer(2 ** 32, () => fired++);
      vi.advanceTimersByTime(2 ** 31);
      cut.cancel();
      vi.advanceTimersByTime(2 ** 32);
      expect([fired, vi.getTimerCount()]).toEqual([1, 0]);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a cancelled timer does not fire", async () => {
    const clock = systemClock();
    let fired = false;
    clock
      .timer(1, () => {
        fired = true;
      })
      .cancel();
    await sleep(clock, 3);
    expect(fired).toBe(false);
  });
});
