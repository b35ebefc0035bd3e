// What the kubelet's own port serves with: files that were given, a certificate that the cluster signs, or one that the
// node signs itself.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiClient } from '@wherry/client';
import type { Clock, Logger, Random, Scope } from '@wherry/daemon';
import type { CertificateTemplate } from '../plan/certificate-rotation.ts';
import { CertificateManager } from './certificate-manager.ts';
import { CertificateStore } from './certificate-store.ts';
import { type KnownPair, type Pair, readPair } from './pair.ts';

export interface ServingCredentialsOptions {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly certificateDirectory: string;
  /** Files of --tls-cert-file and --tls-private-key-file. */
  readonly given: { readonly cert: string; readonly key: string } | undefined;
  readonly rotate: boolean;
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly scope: Scope;
}

/** The pair to serve with now, and whoever is told of later ones. */
export interface ServingCredentials {
  readonly pair: Pair;
  /** Begins to ask for certificates; to be called once the server can take them. */
  follow(onChange: (pair: Pair) => void): void;
}

const USAGES = ['digital signature', 'server auth'];
const SIGNER = 'kubernetes.io/kubelet-serving';

export async function servingCredentials(options: ServingCredentialsOptions): Promise<ServingCredentials> {
  const { given } = options;
  if (given !== undefined) {
    const [cert, key] = await Promise.all([readFile(given.cert, 'utf8'), readFile(given.key, 'utf8')]);
    return { pair: { cert, key }, follow: () => undefined };
  }
  const template: CertificateTemplate = {
    commonName: `system:node:${options.nodeName}`,
    organization: 'system:nodes',
    // Its address alone: the cluster approves no names, and the API server calls nodes by address.
    ipAddresses: [options.nodeIp],
  };
  if (!options.rotate) return { pair: await selfSigned(options, template), follow: () => undefined };
  const store = new CertificateStore(options.certificateDirectory, 'kubelet-server', options.clock);
  const stored = await store.current();
  const current = stored !== undefined && stored.facts.notAfterMs > options.clock.now() ? stored : undefined;
  return {
    pair: current ?? (await selfSigned(options, template)),
    follow: (onChange) => keepSigned(options, template, store, current, onChange),
  };
}

function keepSigned(
  options: ServingCredentialsOptions,
  template: CertificateTemplate,
  store: CertificateStore,
  current: KnownPair | undefined,
  onChange: (pair: Pair) => void,
): void {
  const { client, clock, random, logger, scope } = options;
  const manager = new CertificateManager(
    {
      name: 'server',
      store,
      template,
      signerName: SIGNER,
      usages: USAGES,
      asking: (_, work) => work(client),
      onChange,
      clock,
      random,
      logger,
    },
    current,
  );
  scope.run('serving certificate', (signal) => manager.run(signal));
}

/** Kept in upstream's files, so that who has come to know it finds it again after a restart. */
async function selfSigned(options: ServingCredentialsOptions, template: CertificateTemplate): Promise<Pair> {
  const { certificateDirectory, clock, random } = options;
  const [certPath, keyPath] = ['kubelet.crt', 'kubelet.key'].map((name) => join(certificateDirectory, name));
  const found = await readIfUsable(certPath ?? '', keyPath ?? '');
  const fits =
    found !== undefined &&
    found.facts.notAfterMs > clock.now() &&
    template.ipAddresses.every((address) => found.facts.ipAddresses.includes(address));
  if (fits) return found;
  const { newSelfSigned } = await import('./new-pair.ts');
  const pair = await newSelfSigned(template, clock.now(), random);
  await mkdir(certificateDirectory, { recursive: true, mode: 0o700 });
  await writeFile(keyPath ?? '', pair.key, { mode: 0o600 });
  await writeFile(certPath ?? '', pair.cert, { mode: 0o644 });
  return pair;
}

async function readIfUsable(certPath: string, keyPath: string): Promise<KnownPair | undefined> {
  try {
    return readPair({ cert: await readFile(certPath, 'utf8'), key: await readFile(keyPath, 'utf8') });
  } catch {
    // Missing or damaged: a new one costs nothing, for nobody trusts this one by its name.
    return undefined;
  }
}
