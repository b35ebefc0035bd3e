import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { clusterLayout } from '../cluster/layout.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';

export interface PlaceOptions {
  /** The cluster; also in its kubeconfigs. */
  readonly name: string;
  /** Folder to use instead of the cluster's. */
  readonly out?: string;
}

/** The folder that holds `pki/`. */
export function pkiHome(context: Context, options: PlaceOptions): string {
  return options.out === undefined ? clusterLayout(context.home, options.name).folder : resolve(options.out);
}

/** @throws Failure when nobody made the authorities yet: made by chance here, nothing would trust them */
export function requireAuthorities(folder: string): string {
  const pki = join(folder, 'pki');
  if (!existsSync(join(pki, 'ca.key')))
    throw new Failure(
      `${pki} holds no authority that could sign: make it with "wherry pki init", or name it with --out`,
    );
  return pki;
}
