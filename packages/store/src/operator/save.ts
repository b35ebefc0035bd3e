import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { CHECKSUM_BYTES } from '../bolt/backup.ts';
import { nothing, snapshotPart } from '../grpc/codecs.ts';
import { ByteReader } from '../schema/bytes.ts';
import type { GrpcClient } from './grpc-client.ts';

/**
 * Saves a member's state in a file. It is written beside and gets its name when it is whole, checked and durable.
 * @throws Error if there is such a file already
 */
export async function saveSnapshot(clients: readonly GrpcClient[], file: string): Promise<object> {
  const [client] = clients;
  if (client === undefined) throw new Error('Cannot save a snapshot: no endpoint is given');
  const draft = `${file}.part`;
  const handle = await open(draft, 'w', 0o600);
  try {
    const hash = createHash('sha256');
    let tail: Buffer = Buffer.alloc(0);
    let sizeBytes = 0;
    let revision = 0;
    await client.stream('Maintenance/Snapshot', nothing, {}, async (message) => {
      const part = snapshotPart.read(new ByteReader(message));
      revision = part.revision;
      const bytes = Buffer.concat([tail, part.blob]);
      // What comes last is the checksum of all before it.
      const kept = Math.min(CHECKSUM_BYTES, bytes.length);
      hash.update(bytes.subarray(0, bytes.length - kept));
      tail = bytes.subarray(bytes.length - kept);
      await handle.writeFile(part.blob);
      sizeBytes += part.blob.length;
    });
    if (!hash.digest().equals(tail)) throw new Error(`Cannot save ${file}: what arrived is not what its checksum says`);
    await handle.sync();
    await rename(draft, file);
    return { file, revision, sizeBytes };
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}
