import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disk, DiskFile } from './disk.ts';

/** A directory of the file system; made if it does not exist, readable by its owner only. */
export async function openRealDisk(path: string): Promise<Disk> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  return {
    path,
    list: () => readdir(path),
    read: (name) => readFile(join(path, name)),
    open: (name) => openFile(join(path, name)),
    rename: (from, to) => rename(join(path, from), join(path, to)),
    remove: (name) => unlink(join(path, name)),
    syncDirectory: () => syncDirectory(path),
  };
}

async function openFile(path: string): Promise<DiskFile> {
  const handle = await open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return open(path, 'wx+', 0o600);
  });
  const writeAll = async (bytes: Buffer, position: number): Promise<void> => {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  };
  return {
    async writeDurably(bytes, position) {
      await writeAll(bytes, position);
      await handle.datasync();
    },
    write: writeAll,
    sync: () => handle.sync(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    close: () => handle.close(),
  };
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
