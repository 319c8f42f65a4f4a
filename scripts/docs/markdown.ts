/** The few forms of Markdown that the generated pages are made of. */

/** The head of a generated page: its title, and where to change it. */
export function opening(title: string, source: string): string {
  return `# ${title}\n\n<!-- Written by \`npm run docs\` from ${source}: change that, not this. -->\n`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export function code(text: string): string {
  return `\`${text}\``;
}
