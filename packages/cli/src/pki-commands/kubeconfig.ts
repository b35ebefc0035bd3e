import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clientIdentities, nodeClientName, readPair, renderKubeconfig, writeWhole } from '@wherry/pki';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { type PlaceOptions, pkiHome, requireAuthorities } from './folder.ts';

export interface KubeconfigOptions extends PlaceOptions {
  /** URL of the API server. */
  readonly server: string;
  /** Where to write it. */
  readonly file: string;
}

/** Writes the kubeconfig of one identity, with certificate and key inside, so that it works on another host. */
export async function writeKubeconfig(context: Context, who: string, options: KubeconfigOptions): Promise<void> {
  const pki = requireAuthorities(pkiHome(context, options));
  const { certificate, user } = identityOf(who);
  const identity = await readPair(pki, certificate);
  if (identity === undefined) {
    const maker = who.startsWith(NODE) ? `pki node ${who.slice(NODE.length)}` : 'pki init';
    throw new Failure(`${pki} has no certificate ${certificate}: make it with "wherry ${maker}"`);
  }
  const authority = await readFile(join(pki, 'ca.crt'), 'utf8');
  const text = renderKubeconfig({
    cluster: `wherry-${options.name}`,
    user,
    server: options.server,
    authority,
    identity,
  });
  await writeWhole(options.file, text, 0o600);
  context.terminal.out(`${options.file}: written`);
}

const NODE = 'node/';

/** @throws Failure for an identity that no certificate of ours has */
function identityOf(who: string): { readonly certificate: string; readonly user: string } {
  if (who.startsWith(NODE)) {
    const node = who.slice(NODE.length);
    return { certificate: nodeClientName(node), user: `system:node:${node}` };
  }
  const known = Object.entries(clientIdentities).find(([name]) => name === who)?.[1];
  if (known === undefined) {
    const names = [...Object.keys(clientIdentities), 'node/<name>'].join(', ');
    throw new Failure(`Nobody is called "${who}": a kubeconfig is for one of ${names}`);
  }
  return { certificate: known.name, user: known.commonName };
}
