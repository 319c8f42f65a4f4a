/** Figures and texts as people read them. Pure, and the same everywhere. */

/** Dollars: small ones with all that tells them apart, large ones with what matters. */
export function usd(amount: number): string {
  if (amount === 0) return "$0";
  const size = Math.abs(amount);
  if (size < 0.0001) return amount < 0 ? ">-$0.0001" : "<$0.0001";
  if (size < 0.1) return `${amount < 0 ? "-" : ""}$${size.toFixed(4)}`;
  if (size < 10_000) return `${amount < 0 ? "-" : ""}$${grouped(size.toFixed(2))}`;
  return `${amount < 0 ? "-" : ""}$${grouped(Math.round(size).toString())}`;
}

export function count(amount: number): string {
  return grouped(String(amount));
}

/** 1 agent, 2 agents. */
export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`;
}

/** 12.3k, 4.56M: three figures, for where the exact one stands elsewhere. */
export function short(amount: number): string {
  const steps = [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const;
  for (const [size, letter] of steps) {
    // 999.95k would be written as 1000k.
    if (amount >= size * 0.99995) {
      const value = amount / size;
      return `${value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : value.toFixed(0)}${letter}`;
    }
  }
  return String(amount);
}

/** How long: 4s, 3m 12s, 2h 5m, 3d 4h. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes < 10 && seconds % 60 > 0 ? `${minutes}m ${seconds % 60}s` : `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 > 0 ? `${hours}h ${minutes % 60}m` : `${hours}h`;
  const days = Math.floor(hours / 24);
  return hours % 24 > 0 ? `${days}d ${hours % 24}h` : `${days}d`;
}

export function bytes(amount: number): string {
  if (amount < 1024) return `${amount} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = amount / 1024;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", year: "numeric" });

/** Time of day, for what happened not long ago. */
export function clockTime(ms: number): string {
  return CLOCK.format(ms);
}

export function dayTime(ms: number): string {
  return `${DAY.format(ms)}, ${CLOCK.format(ms)}`;
}

/** Characters that would change how the text around them looks: control characters, and those that turn its direction. */
const UNSEEN_RANGES = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0x61c, 0x61c],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
] as const;
const UNSEEN = new RegExp(
  `[${UNSEEN_RANGES.map(([from, to]) => `\\u{${from.toString(16)}}-\\u{${to.toString(16)}}`).join("")}]`,
  "gu",
);

/** A text of an agent's making, with all that is unseen made visible. Lines and tabs stay. */
export function visible(text: string): string {
  return text.replace(/\r\n/g, "\n").replace(UNSEEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });
}

/** The same on one line. */
export function visibleLine(text: string): string {
  return visible(text).replace(/[\n\t]+/g, " ");
}

function grouped(figure: string): string {
  const [whole = "", part] = figure.split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? groups : `${groups}.${part}`;
}
