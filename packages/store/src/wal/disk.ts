/**
 * One directory of files, as much of it as the log and the snapshots need. Implementations: `real-disk.ts`, and
 * `simulated-disk.ts`, which forgets or tears what was not made durable.
 */
export interface Disk {
  /** For messages: where this is. */
  readonly path: string;
  list(): Promise<readonly string[]>;
  /** @throws when the file does not exist */
  read(name: string): Promise<Buffer>;
  /** Makes the file if it does not exist. */
  open(name: string): Promise<DiskFile>;
  /** Atomically takes the place of `to`, durable after `syncDirectory`. */
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Makes creations, renames and removals durable. */
  syncDirectory(): Promise<void>;
}

export interface DiskFile {
  /** Writes at a position; durable when it resolves. A failure must be taken as fatal: nobody knows what is on disk. */
  writeDurably(bytes: Buffer, position: number): Promise<void>;
  /** Writes at a position; durable only after `sync`. */
  write(bytes: Buffer, position: number): Promise<void>;
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

/** What is on disk is not what was written, and not just the torn end of the last write. */
export class CorruptFile extends Error {
  override readonly name = 'CorruptFile';

  constructor(file: string, offset: number, problem: string) {
    super(
      `${file} is corrupt at byte ${offset}: ${problem}. ` +
        'This member stops rather than forget acknowledged writes: restore its disk, or remove it from the cluster and ' +
        'add it again with an empty data directory (with one member: restore a backup)',
    );
  }
}
