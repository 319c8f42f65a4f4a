/** What the record of that sequence says: it can be told afterwards without having been kept. Some are long, some empty. */
export function archivedBody(agent: string, seq: number): string {
  const words = (seq * 7_919) % 5 === 0 ? 0 : (seq * 104_729) % 9_000;
  return `${agent}:${seq} `.repeat(Math.ceil(words / 30));
}
