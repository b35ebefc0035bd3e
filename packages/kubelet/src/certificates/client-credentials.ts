// The kubelet's own identity as a client of the API: from its kubeconfig, or asked for with a bootstrap token.
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ApiClient, createClient, loadKubeconfig, type ServerConnection, SwitchingTransport } from '@wherry/client';
import type { Clock, Logger, Random, Scope } from '@wherry/daemon';
import { dump } from 'js-yaml';
import type { CertificateTemplate } from '../plan/certificate-rotation.ts';
import { CertificateManager } from './certificate-manager.ts';
import { CertificateStore } from './certificate-store.ts';
import { type KnownPair, readPair, splitPair } from './pair.ts';

export interface ClientCredentialsOptions {
  readonly nodeName: string;
  readonly kubeconfig: string;
  readonly bootstrapKubeconfig: string | undefined;
  readonly certificateDirectory: string;
  readonly rotate: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly scope: Scope;
}

const USAGES = ['digital signature', 'client auth'];

/**
 * A client of the API server whose certificate is renewed while it is used. Without a valid one it is asked for with
 * the bootstrap kubeconfig first, however long that takes; the kubeconfig is then written.
 * @throws when there is neither a usable kubeconfig nor a bootstrap kubeconfig
 */
export async function connectToApi(options: ClientCredentialsOptions): Promise<ApiClient> {
  const { kubeconfig, clock, scope, logger, rotate } = options;
  const store = new CertificateStore(options.certificateDirectory, 'kubelet-client', clock);
  const found = await startingPoint(options, store);
  if (found.kind === 'ready' && !rotate) {
    const client = createClient({ ...found.connection });
    scope.onClose(() => client.close());
    return client;
  }
  let transport: SwitchingTransport | undefined;
  const manager = managerOf(options, store, found, (pair) => transport?.use(withPair(found.connection, pair)));
  if (found.kind === 'bootstrap') {
    logger.info({ server: found.connection.server }, 'asking for a client certificate with the bootstrap kubeconfig');
    await manager.obtain(scope.signal);
    scope.signal.throwIfAborted();
    await writeKubeconfig(kubeconfig, found.connection, store.path);
  }
  const first = found.kind === 'ready' ? found.connection : readConnection(kubeconfig);
  const made = new SwitchingTransport(first, clock);
  transport = made;
  scope.onClose(() => made.close());
  if (rotate) scope.run('client certificate', (signal) => manager.run(signal));
  return new ApiClient(made);
}

type StartingPoint =
  | { readonly kind: 'ready'; readonly connection: ServerConnection; readonly pair: KnownPair | undefined }
  /** Nothing of its own yet: the connection is the bootstrapper's. */
  | { readonly kind: 'bootstrap'; readonly connection: ServerConnection; readonly pair: undefined };

async function startingPoint(options: ClientCredentialsOptions, store: CertificateStore): Promise<StartingPoint> {
  const { kubeconfig, bootstrapKubeconfig, logger } = options;
  if (bootstrapKubeconfig === undefined || existsSync(kubeconfig)) {
    try {
      return await ownCredentials(options, store);
    } catch (error) {
      if (bootstrapKubeconfig === undefined || !existsSync(bootstrapKubeconfig)) throw error;
      logger.warn({ err: error, kubeconfig }, 'cannot use the credentials that are there, asking for new ones');
    }
  }
  return { kind: 'bootstrap', connection: readConnection(bootstrapKubeconfig), pair: undefined };
}

/** A certificate that was renewed counts more than what the kubeconfig itself holds. */
async function ownCredentials(options: ClientCredentialsOptions, store: CertificateStore): Promise<StartingPoint> {
  const { kubeconfig, bootstrapKubeconfig, rotate, clock } = options;
  const connection = readConnection(kubeconfig);
  const { cert, key } = connection;
  const named = cert === undefined || key === undefined ? undefined : readPair(splitPair(`${cert}\n${key}`));
  const renewed = rotate ? await store.current() : undefined;
  const pair = renewed !== undefined && renewed.facts.notAfterMs > clock.now() ? renewed : named;
  if (bootstrapKubeconfig !== undefined && pair !== undefined && pair.facts.notAfterMs <= clock.now()) {
    throw new Error(`the client certificate of ${kubeconfig} has expired`);
  }
  return { kind: 'ready', connection: pair === undefined ? connection : withPair(connection, pair), pair };
}

function managerOf(
  options: ClientCredentialsOptions,
  store: CertificateStore,
  found: StartingPoint,
  onChange: (pair: KnownPair) => void,
): CertificateManager {
  const { nodeName, bootstrapKubeconfig, clock, random, logger } = options;
  const template: CertificateTemplate = {
    commonName: `system:node:${nodeName}`,
    organization: 'system:nodes',
    ipAddresses: [],
  };
  /** With the certificate in use; with the bootstrapper's token when there is none, or it has expired. */
  const connectionFor = (current: KnownPair | undefined): ServerConnection => {
    if (current !== undefined) return withPair(found.connection, current);
    return bootstrapKubeconfig !== undefined && existsSync(bootstrapKubeconfig)
      ? readConnection(bootstrapKubeconfig)
      : found.connection;
  };
  return new CertificateManager(
    {
      name: 'client',
      store,
      template,
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: USAGES,
      asking: async (current, work) => {
        const client = createClient(connectionFor(current));
        try {
          return await work(client);
        } finally {
          await client.close();
        }
      },
      onChange,
      clock,
      random,
      logger,
    },
    found.pair,
  );
}

function readConnection(path: string): ServerConnection {
  const base = dirname(resolve(path));
  const read = (file: string) => readFileSync(resolve(base, file), 'utf8');
  const { connection } = loadKubeconfig(readFileSync(path, 'utf8'), read);
  // Also the name under which the server notes what kubelets write.
  return { ...connection, userAgent: 'kubelet' };
}

/** A certificate stands instead of a token, not beside it. */
function withPair({ token: _, ...connection }: ServerConnection, pair: KnownPair): ServerConnection {
  return { ...connection, cert: pair.cert, key: pair.key };
}

/** It names the link to the certificate in use, so it stays right when that is renewed. */
async function writeKubeconfig(path: string, connection: ServerConnection, pemPath: string): Promise<void> {
  const { server, ca, tlsServerName, insecureSkipTlsVerify } = connection;
  const pem = resolve(pemPath);
  const cluster = {
    server,
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(tlsServerName === undefined ? {} : { 'tls-server-name': tlsServerName }),
    ...(insecureSkipTlsVerify === true ? { 'insecure-skip-tls-verify': true } : {}),
  };
  const text = dump({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'default-cluster', cluster }],
    contexts: [
      { name: 'default-context', context: { cluster: 'default-cluster', namespace: 'default', user: 'default-auth' } },
    ],
    'current-context': 'default-context',
    users: [{ name: 'default-auth', user: { 'client-certificate': pem, 'client-key': pem } }],
  });
  await mkdir(dirname(resolve(path)), { recursive: true, mode: 0o700 });
  const draft = `${path}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
}
