/** A session in exchange for a token, or for the code of a link. The browser keeps it in a cookie that no script can read. */
import { answered } from "../../server/http-door.ts";

/** @throws BanyanError when it opens nothing, TypeError when the server is out of reach */
export async function logIn(secret: string): Promise<void> {
  await answered(
    await fetch("/v1/session", {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ secret }),
    }),
  );
}

const CODE = /^#code=([\w-]{1,256})$/;

/** The code in the address that `banyan up` printed, taken out of it: it works once, and is to stay in no history. */
export function takeCode(): string | undefined {
  const code = CODE.exec(window.location.hash)?.[1];
  if (code !== undefined) window.history.replaceState(null, "", "#/triage");
  return code;
}
