/** The page's only door to time and storage, so that everything else in it can be tested without a browser. */

export interface Timer {
  cancel(): void;
}

export interface PageClock {
  /** Wall time, milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonic(): number;
  timer(delayMs: number, fire: () => void): Timer;
}

export const pageClock: PageClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, fire) {
    const handle = window.setTimeout(fire, delayMs);
    return { cancel: () => window.clearTimeout(handle) };
  },
};

/** What a person prefers on this machine. Never a secret. A browser that keeps nothing is fine. */
export function remembered(key: string): string | undefined {
  try {
    return window.localStorage.getItem(`banyan.${key}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(key: string, value: string): void {
  try {
    window.localStorage.setItem(`banyan.${key}`, value);
  } catch {
    // It is forgotten with the page.
  }
}
