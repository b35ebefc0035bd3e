import { createHash, X509Certificate } from 'node:crypto';
import { load, YAMLException } from 'js-yaml';

/** Where hosts that join find what they must know; kubeadm's place and names. */
export const CLUSTER_INFO = { namespace: 'kube-public', name: 'cluster-info' } as const;
export const CONTENT_KEY = 'kubeconfig';
export const signatureKey = (tokenId: string): string => `jws-kubeconfig-${tokenId}`;

/** What is published of a cluster: where its API is, and whom to trust there. */
export interface ClusterInfo {
  readonly server: string;
  /** PEM. */
  readonly authority: string;
}

/** A kubeconfig without users and contexts, as kubeadm publishes it. */
export function renderClusterInfo({ server, authority }: ClusterInfo): string {
  return [
    'apiVersion: v1',
    'clusters:',
    '- cluster:',
    `    certificate-authority-data: ${Buffer.from(authority).toString('base64')}`,
    `    server: ${server}`,
    '  name: ""',
    'contexts: null',
    'current-context: ""',
    'kind: Config',
    'users: null',
    '',
  ].join('\n');
}

interface InfoFile {
  readonly clusters?: readonly { readonly cluster?: Readonly<Record<string, unknown>> }[] | null;
}

/** @returns undefined when the text describes no cluster */
export function parseClusterInfo(text: string): ClusterInfo | undefined {
  let file: InfoFile | null;
  try {
    file = load(text) as InfoFile | null;
  } catch (error) {
    if (error instanceof YAMLException) return undefined;
    throw error;
  }
  const cluster = file?.clusters?.[0]?.cluster;
  const { server, 'certificate-authority-data': data } = cluster ?? {};
  if (typeof server !== 'string' || typeof data !== 'string') return undefined;
  return { server, authority: Buffer.from(data, 'base64').toString('utf8') };
}

/** `sha256:…` of an authority's public key (its SubjectPublicKeyInfo, RFC 7469), as kubeadm pins it. */
export function authorityHash(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

const block = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Hashes of all authorities in a bundle. */
export function authorityHashes(bundle: string): readonly string[] {
  return (bundle.match(block) ?? []).map(authorityHash);
}
