/**
 * The objects port: named bytes far from the data, for backups. A folder now, and S3 as well as anything that can create an object only
 * when there is none of that name.
 *
 * O1  A put that resolved is durable, and whole or absent.
 * O2  Of several that create one name, one does.
 */
export interface Objects {
  /** Creates it, or replaces it. Names are paths of plain names. @throws DISK_FAILED */
  put(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
  /** Creates it, unless it is there: false then (O2). @throws DISK_FAILED */
  create(name: string, content: Uint8Array): Promise<boolean>;
  /** @throws BLOB_NOT_FOUND, DISK_FAILED */
  get(name: string): AsyncIterable<Uint8Array>;
  /** Those whose names begin so, in the order of their names. @throws DISK_FAILED */
  list(prefix: string): AsyncIterable<{ readonly name: string; readonly bytes: number }>;
}

/** @throws BLOB_NOT_FOUND, DISK_FAILED */
export async function bytesOf(content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}
