/** Signs of the page itself. */

const PATHS = {
  right: "M6 3.5 10.5 8 6 12.5",
  sun: "M8 5a3 3 0 1 1 0 6a3 3 0 0 1 0-6zM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
  auto: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11zM8 2.5v11M8 5h3.5M8 8h5M8 11h3.5",
  close: "m4 4 8 8M12 4l-8 8",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  search: "M7 2.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9zM10.5 10.5l3 3",
  expand: "M9.5 2.5h4v4M13.5 2.5l-5 5M6.5 13.5h-4v-4M2.5 13.5l5-5",
  download: "M8 2.5v7.5M4.5 7 8 10.5 11.5 7M3 13.5h10",
  fork: "M5 2.5v11M5 9c4.5 0 6-1.5 6-4.5M9 4.5h4M11 2.5v2",
  copy: "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7",
} as const;

export function Icon({ name, size = 16 }: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A crown over many trunks. */
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg className="mark" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d="M12 2.5c-5 0-9 3.2-9 6.6 0 1.6 1 2.9 2.6 2.9 1.1 0 1.9-.5 2.4-1.2.6.8 1.6 1.3 2.6 1.3V21.5h2.8v-9.4c1 0 2-.5 2.6-1.3.5.7 1.3 1.2 2.4 1.2 1.6 0 2.6-1.3 2.6-2.9 0-3.4-4-6.6-9-6.6z" />
      <path d="M6.2 13.5v8M17.8 13.5v8M3.8 13.3v4.5M20.2 13.3v4.5" fill="none" />
    </svg>
  );
}
