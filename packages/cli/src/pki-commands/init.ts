import { hostname } from 'node:os';
import { join } from 'node:path';
import { controlPlaneWishes, ensureTree, type Made } from '@wherry/pki';
import { clusterDomain, serviceIp, usualPorts } from '../cluster/config.ts';
import type { Context } from '../context.ts';
import { serverNames } from './addresses.ts';
import { type PlaceOptions, pkiHome } from './folder.ts';
import { writeKubeconfig } from './kubeconfig.ts';

export interface InitOptions extends PlaceOptions {
  readonly apiserverAddress: readonly string[];
}

/** Makes the certificates of a control plane and the administrator's kubeconfig, for daemons that are started by hand. */
export async function initPki(context: Context, options: InitOptions): Promise<void> {
  const folder = pkiHome(context, options);
  const pki = join(folder, 'pki');
  const apiserver = serverNames(options.apiserverAddress);
  const wishes = controlPlaneWishes({
    ipAddresses: apiserver.ipAddresses,
    dnsNames: [hostname().toLowerCase(), ...apiserver.dnsNames],
    serviceIp,
    clusterDomain,
  });
  report(context, pki, await ensureTree(pki, wishes, context.clock.now()));
  await writeKubeconfig(context, 'admin', {
    ...options,
    server: `https://${options.apiserverAddress[0] ?? '127.0.0.1'}:${usualPorts.apiserver}`,
    file: join(folder, 'kubeconfig'),
  });
}

export function report(context: Context, pki: string, made: readonly Made[]): void {
  for (const { name, reason } of made) context.terminal.out(`${join(pki, name)}: made (${reason})`);
  if (made.length === 0) context.terminal.out(`${pki}: everything fits`);
}
