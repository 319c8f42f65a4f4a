/**
 * The door to the event loop. A simulation moves time only when nothing is left to do at the present moment, and this is how
 * it knows.
 */

/**
 * Resolves when everything that can run now has run: promises, and what they set off. Whatever waits for a timer, a file or a
 * socket is not waited for.
 */
export function presentIsOver(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
