import { load } from 'js-yaml';
import type { ServerConnection } from '../transport/undici-transport.ts';

interface Named {
  readonly name?: string;
}
interface KubeconfigFile {
  readonly 'current-context'?: string;
  readonly clusters?: readonly (Named & { readonly cluster?: Readonly<Record<string, unknown>> })[];
  readonly users?: readonly (Named & { readonly user?: Readonly<Record<string, unknown>> })[];
  readonly contexts?: readonly (Named & {
    readonly context?: { readonly cluster?: string; readonly user?: string; readonly namespace?: string };
  })[];
}

export interface Kubeconfig {
  readonly connection: ServerConnection;
  /** Namespace of the context. @default 'default' */
  readonly namespace: string;
  readonly context: string;
}

/**
 * Reads a kubeconfig's current context (or the named one).
 * @param readFile gives the text of a file that the kubeconfig names, relative to the kubeconfig itself
 * @throws when a context, cluster or user is missing, saying which
 */
export function loadKubeconfig(text: string, readFile: (path: string) => string, contextName?: string): Kubeconfig {
  const file = (load(text) ?? {}) as KubeconfigFile;
  const wanted = contextName ?? file['current-context'] ?? '';
  const context = file.contexts?.find(({ name }) => name === wanted)?.context;
  if (context === undefined) throw new Error(`Kubeconfig has no context "${wanted}"`);
  const cluster = file.clusters?.find(({ name }) => name === context.cluster)?.cluster;
  if (cluster === undefined) throw new Error(`Kubeconfig has no cluster "${context.cluster ?? ''}"`);
  const user = file.users?.find(({ name }) => name === context.user)?.user ?? {};
  const server = cluster['server'];
  if (typeof server !== 'string') throw new Error(`Kubeconfig's cluster "${context.cluster ?? ''}" names no server`);
  const pem = (from: Readonly<Record<string, unknown>>, key: string): string | undefined => {
    const data = from[`${key}-data`];
    if (typeof data === 'string') return Buffer.from(data, 'base64').toString('utf8');
    const path = from[key];
    return typeof path === 'string' ? readFile(path) : undefined;
  };
  const token = typeof user['tokenFile'] === 'string' ? readFile(user['tokenFile']).trim() : user['token'];
  return {
    context: wanted,
    namespace: context.namespace ?? 'default',
    connection: defined({
      server,
      ca: pem(cluster, 'certificate-authority'),
      cert: pem(user, 'client-certificate'),
      key: pem(user, 'client-key'),
      token: typeof token === 'string' ? token : undefined,
      tlsServerName: typeof cluster['tls-server-name'] === 'string' ? cluster['tls-server-name'] : undefined,
      insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true ? true : undefined,
    }),
  };
}

function defined(
  connection: { readonly [K in keyof ServerConnection]: ServerConnection[K] | undefined },
): ServerConnection {
  return Object.fromEntries(
    Object.entries(connection).filter(([, value]) => value !== undefined),
  ) as unknown as ServerConnection;
}
