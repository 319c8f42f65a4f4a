/**
 * Where the HTTP server listens, and under which names it may be asked.
 *
 * L1  Whatever others can reach is encrypted: an address that is not the loopback one needs a certificate.
 * L2  The names of the certificate are the server's names: no other is answered to.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";
import { BanyanError } from "../base/errors.ts";

export interface Listening {
  /** The loopback address by default. */
  readonly host?: string | undefined;
  /** In PEM: the certificate, with those between it and its root behind it, and its private key. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface Place {
  readonly host: string;
  readonly scheme: "http" | "https";
  /** As they stand in a `Host` header, without a port. The first is for people. */
  readonly names: readonly string[];
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

const LOOPBACK = ["127.0.0.1", "localhost"];

/** @throws INPUT_INVALID (L1), CONFIG_INVALID for a certificate that is no good */
export function placeOf({ host = "127.0.0.1", certificate, key }: Listening, now: number): Place {
  if ((certificate === undefined) !== (key === undefined)) {
    throw new BanyanError("INPUT_INVALID", "a certificate and its key go together");
  }
  if (certificate === undefined || key === undefined) {
    if (!LOOPBACK.includes(host)) {
      throw new BanyanError("INPUT_INVALID", `${host} can be reached by others: that needs a certificate and its key`);
    }
    return { host: "127.0.0.1", scheme: "http", names: LOOPBACK, tls: undefined };
  }
  return { host, scheme: "https", names: namesIn(certificate, key, now), tls: { cert: certificate, key } };
}

/** L2. */
function namesIn(certificate: string, key: string, now: number): string[] {
  const read = readCertificate(certificate, key);
  if (read.validToDate.getTime() <= now || read.validFromDate.getTime() > now) {
    throw new BanyanError("CONFIG_INVALID", `the certificate is valid from ${read.validFrom} to ${read.validTo}`);
  }
  const names = (read.subjectAltName ?? "").split(", ").flatMap((entry) => {
    const name = /^DNS:([a-z0-9.-]+)$/i.exec(entry)?.[1] ?? /^IP Address:([0-9a-f.:]+)$/i.exec(entry)?.[1];
    if (name === undefined) return [];
    return [isIPv6(name) ? `[${name.toLowerCase()}]` : name.toLowerCase()];
  });
  if (names.length > 0) return names;
  throw new BanyanError("CONFIG_INVALID", "the certificate names no host (subjectAltName) in full");
}

function readCertificate(certificate: string, key: string): X509Certificate {
  let fits: boolean;
  let read: X509Certificate;
  try {
    read = new X509Certificate(certificate);
    fits = read.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new BanyanError("CONFIG_INVALID", "the certificate or its key is no PEM that can be read", { cause });
  }
  if (!fits) throw new BanyanError("CONFIG_INVALID", "the key is not that of the certificate");
  return read;
}
