import { fdatasync, writeSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Disk, DiskFile } from './disk.ts';

/** Up to here copying to the page cache takes less than a thread switch or two. */
const DIRECT_BYTES_MAX = 256 << 10;

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
      // Into the page cache at once, without a trip to another thread: only the disk is worth waiting for.
      if (bytes.length <= DIRECT_BYTES_MAX) writeDirectly(handle.fd, bytes, position);
      else await writeAll(bytes, position);
      await dataSync(handle.fd);
    },
    write: writeAll,
    sync: () => handle.sync(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    close: () => handle.close(),
  };
}

function writeDirectly(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

/** The callback form costs half of what a FileHandle's promise does, and every write waits for it. */
function dataSync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
