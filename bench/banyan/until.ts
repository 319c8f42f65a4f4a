/** Waits for what has no event of its own, without a timer: it looks again in every turn of the event loop. */
export function until(holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => (holds() ? resolve() : setImmediate(look));
    look();
  });
}
