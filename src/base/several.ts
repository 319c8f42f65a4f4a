/** Work on many things, some of them at a time. */

/**
 * Does the work for each item, `atOnce` at a time, in the order in which they come. After a failure no further work is begun; what is under
 * way is waited for, and the first failure is thrown.
 */
export async function forSeveral<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const worker = async () => {
    for (let next = rest.next(); !next.done && !failure; next = rest.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failure) throw failure.error;
}
