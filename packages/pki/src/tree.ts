import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { examine, type Pair } from './examine.ts';
import { type AuthorityName, authorities, type CertificateWish } from './wish.ts';

export interface Made {
  readonly name: string;
  readonly reason: string;
}

/**
 * Makes what is missing or no longer fits in a folder laid out as kubeadm's `/etc/kubernetes/pki`, and touches nothing
 * else. An authority is never replaced silently: one that does not fit any more is an error, because everything it
 * signed would stop being trusted.
 * @returns what was made, and why
 */
export async function ensureTree(
  folder: string,
  wishes: readonly CertificateWish[],
  nowMs: number,
): Promise<readonly Made[]> {
  const made: Made[] = [];
  const issuers = new Map<AuthorityName, Pair>();
  // The library that signs takes a while to load, and most starts have nothing to sign.
  const signer = (): Promise<typeof import('./issue.ts')> => import('./issue.ts');
  await Promise.all([
    ...authorities.map(async (wish) => {
      const name = wish.name as AuthorityName;
      const found = await readPair(folder, name);
      const verdict = examine(wish, found, undefined, nowMs);
      if (!verdict.fits && found !== undefined)
        throw new Error(`Cannot use ${join(folder, name)}.crt: ${verdict.reason}`);
      const pair = found ?? (await (await signer()).issue(wish, undefined, nowMs));
      issuers.set(name, pair);
      if (verdict.fits) return;
      await writePair(folder, name, pair);
      made.push({ name, reason: verdict.reason });
    }),
    ensureSigningKeys(folder, made, signer),
  ]);
  await Promise.all(
    wishes.map(async (wish) => {
      const issuer = wish.signedBy === 'itself' ? undefined : issuers.get(wish.signedBy);
      if (issuer === undefined)
        throw new Error(`Cannot make certificate ${wish.name}: authority ${wish.signedBy} is unknown`);
      const verdict = examine(wish, await readPair(folder, wish.name), issuer.cert, nowMs);
      if (verdict.fits) return;
      const { issue, loadIssuer } = await signer();
      await writePair(folder, wish.name, await issue(wish, await loadIssuer(issuer), nowMs));
      made.push({ name: wish.name, reason: verdict.reason });
    }),
  );
  return made;
}

/** @returns undefined when there is neither certificate nor key; half a pair is reported as unreadable by `examine` */
export async function readPair(folder: string, name: string): Promise<Pair | undefined> {
  const [cert, key] = await Promise.all([
    readIfThere(join(folder, `${name}.crt`)),
    readIfThere(join(folder, `${name}.key`)),
  ]);
  return cert === undefined && key === undefined ? undefined : { cert: cert ?? '', key: key ?? '' };
}

async function ensureSigningKeys(
  folder: string,
  made: Made[],
  signer: () => Promise<typeof import('./issue.ts')>,
): Promise<void> {
  const [key, pub] = await Promise.all([readIfThere(join(folder, 'sa.key')), readIfThere(join(folder, 'sa.pub'))]);
  if (key !== undefined && pub !== undefined) return;
  if (key !== undefined || pub !== undefined)
    throw new Error(`Cannot use ${join(folder, 'sa.key')}: only one of sa.key and sa.pub is there`);
  const keys = await (await signer()).newSigningKeys();
  await writeWhole(join(folder, 'sa.key'), keys.key, 0o600);
  await writeWhole(join(folder, 'sa.pub'), keys.pub, 0o644);
  made.push({ name: 'sa', reason: 'missing' });
}

async function writePair(folder: string, name: string, pair: Pair): Promise<void> {
  await writeWhole(join(folder, `${name}.key`), pair.key, 0o600);
  await writeWhole(join(folder, `${name}.crt`), pair.cert, 0o644);
}

/** A reader sees the old file or the new one, never half of one. */
export async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { mode });
  await rename(draft, path);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
