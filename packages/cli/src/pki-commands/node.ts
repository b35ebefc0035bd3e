import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { clientIdentities, ensureTree, nodeServingName, nodeWishes } from '@wherry/pki';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { serverNames } from './addresses.ts';
import { type PlaceOptions, pkiHome, requireAuthorities } from './folder.ts';
import { report } from './init.ts';
import { writeKubeconfig } from './kubeconfig.ts';

export interface NodeOptions extends PlaceOptions {
  readonly address: readonly string[];
  /** Where the node's host reaches the API server; without it no folder to carry is made. */
  readonly server?: string;
}

/** Makes a kubelet's two certificates, beside the authorities that sign them, and the folder that its host is given. */
export async function nodePki(context: Context, node: string, options: NodeOptions): Promise<void> {
  const { ipAddresses, dnsNames } = serverNames(options.address);
  const stray = dnsNames.find((name) => name !== node);
  if (stray !== undefined)
    throw new Failure(`Cannot use --address ${stray}: give IP addresses; the node's own name is always included`);
  const pki = requireAuthorities(pkiHome(context, options));
  const wishes = [...nodeWishes({ name: node, ipAddresses }), clientIdentities.proxy];
  report(context, pki, await ensureTree(pki, wishes, context.clock.now()));
  if (options.server !== undefined) await fillFolder(context, node, { ...options, server: options.server });
}

/** All that a host needs to be this node, and nothing by which it could be another. */
async function fillFolder(
  context: Context,
  node: string,
  options: NodeOptions & { readonly server: string },
): Promise<void> {
  const home = pkiHome(context, options);
  const folder = join(home, 'nodes', node);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeKubeconfig(context, `node/${node}`, { ...options, file: join(folder, 'kubelet.conf') });
  await writeKubeconfig(context, 'proxy', { ...options, file: join(folder, 'proxy.conf') });
  const serving = join(home, 'pki', nodeServingName(node));
  await copyFile(`${serving}.crt`, join(folder, 'kubelet.crt'));
  await copyFile(`${serving}.key`, join(folder, 'kubelet.key'));
  await copyFile(join(home, 'pki', 'ca.crt'), join(folder, 'ca.crt'));
  context.terminal.out(`${folder}: to be carried to the host of ${node}`);
}
