import type { Disk, DiskFile } from './disk.ts';

interface SimulatedFile {
  bytes: Buffer;
  /** Writes that a crash may undo, in whole or in part. */
  pending: { readonly before: Buffer; readonly after: Buffer; readonly position: number }[];
}

type DirectoryChange = (files: Map<string, SimulatedFile>) => void;

export interface SimulatedDiskOptions {
  /** Uniform in [0, 1): how much of a write survives a crash. */
  readonly random: () => number;
  /** Called for each durable write; resolves when the disk is done. @default at once */
  readonly delay?: () => Promise<void>;
}

/**
 * A directory in memory that behaves as badly as a disk may: after `crash`, writes that nobody waited for are there,
 * gone, or torn in the middle, and so are changes of the directory that were not synced.
 */
export class SimulatedDisk implements Disk {
  readonly path = 'simulated';
  /** As processes see it. */
  #files = new Map<string, SimulatedFile>();
  /** As a crash may leave it: the directory of before, and what has been done to it since, oldest first. */
  #durable = new Map<string, SimulatedFile>();
  #entries: DirectoryChange[] = [];
  readonly #options: SimulatedDiskOptions;
  /** Grows with each crash: handles of the process that died do nothing any more. */
  #life = 0;

  constructor(options: SimulatedDiskOptions) {
    this.#options = options;
  }

  async list(): Promise<readonly string[]> {
    return [...this.#files.keys()];
  }

  async read(name: string): Promise<Buffer> {
    return Buffer.from(this.#file(name).bytes);
  }

  async open(name: string): Promise<DiskFile> {
    if (!this.#files.has(name)) {
      const made = { bytes: Buffer.alloc(0), pending: [] };
      this.#change((files) => files.set(name, made));
    }
    const file = this.#file(name);
    const life = this.#life;
    const write = (bytes: Buffer, position: number): void => {
      if (life === this.#life) writeAt(file, bytes, position);
    };
    const sync = async (): Promise<void> => {
      const { pending } = file;
      const count = pending.length;
      await this.#options.delay?.();
      // What was written while the disk was busy is not covered.
      if (life === this.#life) pending.splice(0, count);
      else await new Promise(() => undefined);
    };
    return {
      writeDurably: async (bytes, position) => {
        write(bytes, position);
        await sync();
      },
      write: async (bytes, position) => write(bytes, position),
      sync,
      truncate: async (sizeBytes) => {
        if (life === this.#life) file.bytes = Buffer.from(file.bytes.subarray(0, sizeBytes));
      },
      close: async () => undefined,
    };
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#file(from);
    this.#change((files) => {
      files.delete(from);
      files.set(to, file);
    });
  }

  async remove(name: string): Promise<void> {
    this.#change((files) => files.delete(name));
  }

  async syncDirectory(): Promise<void> {
    const life = this.#life;
    const count = this.#entries.length;
    await this.#options.delay?.();
    if (life !== this.#life) return;
    for (const change of this.#entries.splice(0, count)) change(this.#durable);
  }

  /** The directory as one process sees it: after the next `crash` whatever it still does never comes to an end. */
  mount(): Disk {
    const life = this.#life;
    const never = () => new Promise<never>(() => undefined);
    const guard = async <T>(work: () => Promise<T>): Promise<T> => {
      if (life !== this.#life) return never();
      const result = await work();
      return life === this.#life ? result : never();
    };
    return {
      path: this.path,
      list: () => guard(() => this.list()),
      read: (name) => guard(() => this.read(name)),
      open: (name) => guard(() => this.open(name)),
      rename: (from, to) => guard(() => this.rename(from, to)),
      remove: (name) => guard(() => this.remove(name)),
      syncDirectory: () => guard(() => this.syncDirectory()),
    };
  }

  /** The process dies: unsynced writes are kept, lost or torn. */
  crash(): void {
    this.#life++;
    // A journal keeps changes of the directory in order, so a crash leaves some of the first ones.
    const kept = Math.floor(this.#options.random() * (this.#entries.length + 1));
    for (const change of this.#entries.splice(0).slice(0, kept)) change(this.#durable);
    this.#files = new Map(this.#durable);
    for (const file of this.#files.values()) {
      for (const { before, after, position } of file.pending.splice(0).reverse()) {
        const kept = Math.floor(this.#options.random() * (after.length + 1));
        before.copy(file.bytes, position + kept, kept);
      }
    }
  }

  /** Flips a bit, as a dying disk does. */
  corrupt(name: string, offset: number): void {
    const { bytes } = this.#file(name);
    bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  }

  #change(change: DirectoryChange): void {
    change(this.#files);
    this.#entries.push(change);
  }

  #file(name: string): SimulatedFile {
    const file = this.#files.get(name);
    if (file === undefined) throw new Error(`ENOENT: no such file "${name}"`);
    return file;
  }
}

function writeAt(file: SimulatedFile, bytes: Buffer, position: number): void {
  const end = position + bytes.length;
  if (end > file.bytes.length) {
    const grown = Buffer.alloc(end);
    file.bytes.copy(grown);
    file.bytes = grown;
  }
  const before = Buffer.from(file.bytes.subarray(position, end));
  bytes.copy(file.bytes, position);
  file.pending.push({ before, after: Buffer.from(bytes), position });
}
