/** A folder of blobs in a temporary place, and what tests do to its files. */
import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Clock } from "../../../src/base/clock.ts";
import type { Blobs, Digest } from "../../../src/blobs/blobs.ts";
import { openFsBlobs } from "../../../src/blobs/fs/fs-blobs.ts";
import {
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  KIND,
  PACK_HEAD,
  paddingFor,
  recordBytes,
} from "../../../src/blobs/fs/packs/record.ts";
import { type BlobsWorld, readBlob } from "../../conformance/blobs-world.ts";

export interface FsBlobsWorld extends BlobsWorld {
  readonly folder: string;
  /** Of its packs, the oldest first. */
  packs(): string[];
}

export async function fsBlobsWorld(clock?: Clock): Promise<FsBlobsWorld> {
  const root = await mkdtemp(join(tmpdir(), "banyan-blobs-"));
  const folder = join(root, "blobs");
  const opened: Blobs[] = [];
  const packs = () => packsIn(folder);
  return {
    folder,
    packs,
    async open() {
      const blobs = await openFsBlobs({ folder, ...(clock && { clock }) });
      opened.push(blobs);
      return blobs;
    },
    async harm(digest, change) {
      const reader = await openFsBlobs({ folder, readOnly: true });
      const bytes = await readBlob(reader, digest);
      await reader.close();
      replaceNewest(packs(), digest, change(bytes));
    },
    async dispose() {
      for (const blobs of opened) await blobs.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export function packsIn(folder: string): string[] {
  const inside = join(folder, "packs");
  if (!existsSync(inside)) return [];
  return readdirSync(inside)
    .filter((name) => name.endsWith(".pack"))
    .sort()
    .map((name) => join(inside, name));
}

export interface RecordAt {
  readonly offset: number;
  /** Without the zeros behind it. */
  readonly bytes: number;
  readonly kind: number;
  readonly name: string;
}

export function recordsIn(pack: string): RecordAt[] {
  const file = readFileSync(pack);
  const found: RecordAt[] = [];
  for (let offset = PACK_HEAD.length; offset < file.length; ) {
    const header = decodeHeader(file, offset);
    if (!header) {
      // It was harmed: the next one begins at some multiple of 8.
      offset += 8;
      continue;
    }
    const bytes = HEADER_BYTES + header.storedBytes;
    found.push({ offset, bytes, kind: header.kind, name: Buffer.from(header.name).toString("hex") });
    offset += recordBytes(header.storedBytes);
  }
  return found;
}

/** The newest record of a blob, which must be the last of its pack, becomes one of other bytes that is sound but for its name. */
function replaceNewest(packs: readonly string[], digest: Digest, bytes: Uint8Array): void {
  const name = digest.slice("sha256:".length);
  const pack =
    packs.findLast((path) => recordsIn(path).some((record) => record.name === name && record.kind !== KIND.chunk)) ??
    "";
  const { offset } = recordsIn(pack).findLast((record) => record.name === name) ?? { offset: 0 };
  const header = {
    kind: KIND.blob,
    codec: 0,
    storedBytes: bytes.length,
    bytes: bytes.length,
    crc: crc32(bytes),
    time: 0,
  };
  const record = Buffer.concat([
    encodeHeader({ ...header, name: Buffer.from(name, "hex") }),
    bytes,
    paddingFor(bytes.length),
  ]);
  truncateSync(pack, offset);
  writeFileSync(pack, record, { flag: "a" });
}

/** Flips a bit of what is stored of the first blob of a folder; with the header's, where it is not to be found any more. */
export function harmFirst(folder: string, what: "bytes" | "header"): string {
  const [pack = ""] = packsIn(folder);
  const blob = recordsIn(pack).find(({ kind }) => kind === KIND.blob);
  const file = readFileSync(pack);
  const at = (blob?.offset ?? 0) + (what === "bytes" ? HEADER_BYTES : 20);
  file[at] = (file[at] ?? 0) ^ 1;
  writeFileSync(pack, file);
  if (what === "header") rmSync(pack.replace(/pack$/, "idx"));
  return `sha256:${blob?.name}`;
}
