import { join } from 'node:path';
import { clusterLayout } from '../cluster/layout.ts';
import { requireConfig } from '../cluster/stored-config.ts';
import type { Context } from '../context.ts';

export interface ConnectionFlags {
  readonly name: string;
  readonly endpoints?: string;
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Where a store is and as whom to come; files hold PEM texts. */
export interface StoreConnection {
  readonly endpoints: readonly string[];
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * The store of a cluster on this machine, as far as the flags do not say otherwise.
 * @throws Failure when there is no such cluster and the flags do not say enough
 */
export function storeConnection(context: Context, flags: ConnectionFlags): StoreConnection {
  const layout = clusterLayout(context.home, flags.name);
  const pki = (file: string): string => join(layout.pki, 'etcd', file);
  const { cacert, cert, key } = flags;
  const known = [flags.endpoints, cacert, cert, key].every((value) => value !== undefined);
  const config = known ? undefined : requireConfig(layout);
  const endpoints =
    flags.endpoints?.split(',').map((url) => url.trim()) ??
    (config?.ports.stores ?? []).map(({ client }) => `https://127.0.0.1:${client}`);
  return {
    endpoints,
    ca: cacert ?? pki('ca.crt'),
    cert: cert ?? pki('healthcheck-client.crt'),
    key: key ?? pki('healthcheck-client.key'),
  };
}
