/** Puts a link to an artifact into the clipboard: whoever gets it needs no token, and it ends by itself. */
import { ask } from "../api/operations.ts";

/** Says what was done. @throws BanyanError, or DOMException where the browser gives no clipboard */
export async function copyLink({ agent, name }: { agent: string; name: string }): Promise<string> {
  const { path, endTime } = await ask("linkArtifact", { agent, name });
  await navigator.clipboard.writeText(`${location.origin}${path}`);
  return `A link to ${name} is in the clipboard. It works until ${new Date(endTime).toLocaleString()}.`;
}
