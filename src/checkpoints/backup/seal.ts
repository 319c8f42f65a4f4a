/**
 * Encryption of what leaves the machine, with age: to a recipient's public key, so that the machine that is backed up cannot read its
 * own backup. Without a key nothing is encrypted.
 */
import { BanyanError } from "../../base/errors.ts";

export interface Seal {
  readonly recipient: string | null;
  /** False with a public key alone. */
  readonly canOpen: boolean;
  close(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** @throws BLOB_DAMAGED when it was changed, or is not for the key; INPUT_INVALID without one */
  open(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

export interface SealKeys {
  /** `age1...`: whoever has its secret key can read. */
  readonly recipient?: string | undefined;
  /** `AGE-SECRET-KEY-1...`: needed to verify and to restore. */
  readonly identity?: string | undefined;
}

/** @throws INPUT_INVALID for a key that is none */
export async function openSeal({ recipient, identity }: SealKeys): Promise<Seal> {
  if (recipient === undefined && identity === undefined) return PLAIN;
  const age = await import("age-encryption");
  try {
    const to = recipient ?? (await age.identityToRecipient(identity ?? ""));
    const encrypter = new age.Encrypter();
    encrypter.addRecipient(to);
    const decrypter = new age.Decrypter();
    if (identity !== undefined) decrypter.addIdentity(identity);
    return {
      recipient: to,
      canOpen: identity !== undefined,
      async *close(content) {
        yield* await encrypter.encrypt(ReadableStream.from(content));
      },
      async *open(content) {
        if (identity === undefined)
          throw new BanyanError("INPUT_INVALID", "the backup is encrypted: give its secret key");
        try {
          yield* await decrypter.decrypt(ReadableStream.from(content));
        } catch (cause) {
          if (cause instanceof BanyanError) throw cause;
          throw new BanyanError("BLOB_DAMAGED", `cannot be decrypted: ${(cause as Error).message}`, { cause });
        }
      },
    };
  } catch (cause) {
    throw new BanyanError("INPUT_INVALID", `not a key of age: ${(cause as Error).message}`, { cause });
  }
}

const PLAIN: Seal = { recipient: null, canOpen: true, close: (content) => content, open: (content) => content };
