// Where a node keeps a certificate that it renews, laid out as upstream does: one file with certificate and key for
// each renewal, named by its time, and a link to the one in use.
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, rfc3339 } from '@wherry/daemon';
import { type KnownPair, type Pair, readPair, splitPair } from './pair.ts';

export class CertificateStore {
  readonly #directory: string;
  readonly #name: string;
  readonly #clock: Clock;

  /** @param name for example `kubelet-client` */
  constructor(directory: string, name: string, clock: Clock) {
    this.#directory = directory;
    this.#name = name;
    this.#clock = clock;
  }

  /** The link; kubeconfigs name it. */
  get path(): string {
    return join(this.#directory, `${this.#name}-current.pem`);
  }

  /** @returns undefined when there is none yet. @throws when there is one that cannot be used */
  async current(): Promise<KnownPair | undefined> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return readPair(splitPair(text));
    } catch (cause) {
      throw new Error(`Cannot use ${this.path}`, { cause });
    }
  }

  /** Makes this pair the one in use; whoever reads the link sees the old one or the new one. */
  async update(pair: Pair): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const stamp = rfc3339(this.#clock.now()).slice(0, 19).replaceAll(/[T:]/g, '-');
    const file = `${this.#name}-${stamp}.pem`;
    await writeFile(join(this.#directory, file), `${pair.cert.trimEnd()}\n${pair.key.trimEnd()}\n`, { mode: 0o600 });
    const draft = `${this.path}.new`;
    await rm(draft, { force: true });
    await symlink(file, draft);
    await rename(draft, this.path);
  }
}
