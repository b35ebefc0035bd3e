import type { Pair } from './examine.ts';

export interface KubeconfigOptions {
  /** Name of cluster, context and user entry. */
  readonly cluster: string;
  readonly user: string;
  /** URL of the API server. */
  readonly server: string;
  readonly authority: string;
  readonly identity: Pair;
}

/** A kubeconfig of one cluster, one user and one context, with everything inside: it can be copied to another host. */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    `- name: ${options.cluster}`,
    '  cluster:',
    `    certificate-authority-data: ${encode(options.authority)}`,
    `    server: ${options.server}`,
    'users:',
    `- name: ${options.user}`,
    '  user:',
    `    client-certificate-data: ${encode(options.identity.cert)}`,
    `    client-key-data: ${encode(options.identity.key)}`,
    'contexts:',
    `- name: ${options.cluster}`,
    '  context:',
    `    cluster: ${options.cluster}`,
    `    user: ${options.user}`,
    `current-context: ${options.cluster}`,
    '',
  ].join('\n');
}
