/** Compression where it pays: told from a sample, so that what is packed or encrypted already costs nothing, and kept only where it saves an eighth. */
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from "node:zlib";
import { BanyanError } from "../../../base/errors.ts";

/** As in a record's header. */
const PLAIN = 0;
const ZSTD = 1;
const LEVEL = 1;
/** Smaller ones are not worth it; those up to `HERE_BYTES_MAX` are done at once, larger ones on another thread. */
const BYTES_MIN = 256;
const HERE_BYTES_MAX = 32 * 1024;
const SAMPLE_BYTES = 2_048;
/** Bits a byte of a sample from which on it counts as noise. Chance alone gives a sample of noise 7.9. */
const NOISE_BITS = 7.3;

const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } };

export interface Packed {
  readonly codec: number;
  readonly stored: Uint8Array;
}

export function pack(bytes: Uint8Array): Packed | Promise<Packed> {
  if (bytes.length < BYTES_MIN || isNoise(bytes)) return { codec: PLAIN, stored: bytes };
  if (bytes.length <= HERE_BYTES_MAX) return smaller(bytes, zstdCompressSync(bytes, OPTIONS));
  return new Promise((resolve, reject) => {
    zstdCompress(bytes, OPTIONS, (error, packed) => (error ? reject(error) : resolve(smaller(bytes, packed))));
  });
}

/** @throws BLOB_DAMAGED */
export async function unpack({ codec, stored }: Packed, bytes: number): Promise<Uint8Array> {
  if (codec === PLAIN && stored.length === bytes) return stored;
  if (codec !== ZSTD) throw damaged(`it is stored in a way that is not known (${codec})`);
  try {
    const options = { maxOutputLength: Math.max(1, bytes) };
    if (bytes <= HERE_BYTES_MAX) return zstdDecompressSync(stored, options);
    return await new Promise((resolve, reject) => {
      zstdDecompress(stored, options, (error, unpacked) => (error ? reject(error) : resolve(unpacked)));
    });
  } catch (cause) {
    throw damaged("it cannot be unpacked", cause);
  }
}

function smaller(bytes: Uint8Array, packed: Uint8Array): Packed {
  return packed.length <= bytes.length - bytes.length / 8
    ? { codec: ZSTD, stored: packed }
    : { codec: PLAIN, stored: bytes };
}

/** The entropy of bytes taken from all over. */
function isNoise(bytes: Uint8Array): boolean {
  const step = Math.max(1, Math.floor(bytes.length / SAMPLE_BYTES));
  const counts = new Uint32Array(256);
  let taken = 0;
  for (let at = 0; at < bytes.length; at += step, taken += 1)
    counts[bytes[at] as number] = (counts[bytes[at] as number] ?? 0) + 1;
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / taken) * Math.log2(count / taken);
  return taken >= SAMPLE_BYTES && bits > NOISE_BITS;
}

function damaged(why: string, cause?: unknown): BanyanError {
  return new BanyanError("BLOB_DAMAGED", `a record of a pack: ${why}`, { cause });
}
