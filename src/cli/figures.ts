/** Figures for people: counts, tokens, dollars, bytes, durations. Never for programs: `--json` prints them whole. */

/** At most five characters: `950`, `12.3k`, `4.6M`. */
export function compact(count: number): string {
  if (count < 1_000) return String(count);
  const step = STEPS.find(({ below }) => count < below) ?? STEPS[STEPS.length - 1];
  const scaled = count / (step?.unit ?? 1);
  const text = scaled < 99.95 ? scaled.toFixed(1) : String(Math.floor(scaled));
  return `${text}${step?.suffix ?? ""}`;
}

const STEPS = [
  { below: 999_500, unit: 1e3, suffix: "k" },
  { below: 999_500_000, unit: 1e6, suffix: "M" },
  { below: 999_500_000_000, unit: 1e9, suffix: "G" },
  { below: Number.POSITIVE_INFINITY, unit: 1e12, suffix: "T" },
];

/** Four digits behind the point while it is small, so that a single call does not read as free. */
export function dollars(usd: number): string {
  if (usd >= 1_000) return `$${Math.round(usd)}`;
  return `$${usd.toFixed(usd >= 10 ? 2 : 4)}`;
}

export function byteSize(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1_024 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** `1 agent`, `2 agents`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** `12 ms`, `3.4 s`, `2 m 5 s`, `3 h 4 m`, `2 d 1 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${Math.floor(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} m`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}
