/** What someone probably meant: the nearest of the known names. */

/** Slips of the finger that a name may be away and still be suggested. */
const SLIPS_MAX = 3;

/** The known name that takes the fewest insertions, deletions, replacements and swaps to reach, if it is near at all. */
export function closestName(given: string, known: readonly string[]): string | undefined {
  const wanted = given.toLowerCase();
  let best: { name: string; slips: number } | undefined;
  for (const name of known) {
    const slips = slipsBetween(wanted, name.toLowerCase());
    if (slips <= Math.min(SLIPS_MAX, name.length / 2) && slips < (best?.slips ?? Number.POSITIVE_INFINITY))
      best = { name, slips };
  }
  return best?.name;
}

/** The optimal string alignment distance (Damerau-Levenshtein without repeated edits of one place). */
function slipsBetween(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > SLIPS_MAX) return Number.POSITIVE_INFINITY;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let slips = Math.min(replaced, at(last, j) + 1, at(row, j - 1) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        slips = Math.min(slips, at(before, j - 2) + 1);
      row.push(slips);
    }
    before = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
