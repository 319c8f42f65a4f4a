/** Saves an artifact where the browser saves things. It is bytes to keep, never a page to open. */
import { list } from "../api/operations.ts";
import { bytesOf } from "./base64.ts";

interface Wanted {
  readonly agent: string;
  readonly name: string;
  readonly mediaType: string;
}

/** @throws BanyanError */
export async function download({ agent, name, mediaType }: Wanted): Promise<void> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const some of list("artifact", { agent, name })) {
    for (const { base64 } of some) pieces.push(bytesOf(base64));
  }
  const url = URL.createObjectURL(new Blob(pieces, { type: mediaType }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
