import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { clientIdentities, controlPlaneWishes, ensureTree, readPair, renderKubeconfig, writeWhole } from '@wherry/pki';
import { clusterDomain, serviceIp, usualPorts } from '../cluster/config.ts';
import { clusterLayout } from '../cluster/layout.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';

export interface InitOptions {
  readonly name: string;
  readonly out?: string;
  readonly apiserverAddress: readonly string[];
}

/** Makes the certificates of a control plane and the administrator's kubeconfig, for daemons that are started by hand. */
export async function initPki(context: Context, options: InitOptions): Promise<void> {
  const folder = options.out === undefined ? clusterLayout(context.home, options.name).folder : resolve(options.out);
  const pki = join(folder, 'pki');
  const addresses = options.apiserverAddress;
  const wishes = controlPlaneWishes({
    ipAddresses: addresses.filter((address) => isIP(address) !== 0),
    dnsNames: [hostname().toLowerCase(), ...addresses.filter((address) => isIP(address) === 0)],
    serviceIp,
    clusterDomain,
  });
  const made = await ensureTree(pki, wishes, context.clock.now());
  for (const { name, reason } of made) context.terminal.out(`${join(pki, name)}: made (${reason})`);
  if (made.length === 0) context.terminal.out(`${pki}: everything fits`);
  const identity = await readPair(pki, clientIdentities.admin.name);
  if (identity === undefined)
    throw new Failure(`Cannot write a kubeconfig: ${pki} has no certificate of the administrator`);
  const kubeconfig = join(folder, 'kubeconfig');
  const text = renderKubeconfig({
    cluster: `wherry-${options.name}`,
    user: 'kubernetes-admin',
    server: `https://${addresses[0] ?? '127.0.0.1'}:${usualPorts.apiserver}`,
    authority: await readFile(join(pki, 'ca.crt'), 'utf8'),
    identity,
  });
  await writeWhole(kubeconfig, text, 0o600);
  context.terminal.out(`${kubeconfig}: written`);
}
