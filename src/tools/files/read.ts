/** Opening a pinned file for reading, and its bytes piece by piece. */
import type { FileHandle } from "node:fs/promises";
import { BanyanError } from "../../base/errors.ts";
import { showName } from "../show.ts";
import { failure, type Pin } from "./pin.ts";

/** @throws TOOL_FAILED when it is no regular file, or may not be read */
export async function openFile(pin: Pin, below: string): Promise<FileHandle> {
  if (pin.stat.isDirectory())
    throw new BanyanError("TOOL_FAILED", `${showName(below)} is a folder: list it with list_files`);
  if (!pin.stat.isFile())
    throw new BanyanError("TOOL_FAILED", `${showName(below)} is a special file and is not opened`);
  try {
    return await pin.open();
  } catch (error) {
    throw failure(error as NodeJS.ErrnoException, below);
  }
}

const CHUNK_BYTES = 256 * 1024;

/**
 * The first `bytes` bytes: a file that grows while it is read would have no end. Each piece is only good until the next one
 * is asked for.
 */
export async function* chunksOf(handle: FileHandle, bytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes));
  for (let left = bytes; left > 0; ) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, left));
    if (bytesRead === 0) return;
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
