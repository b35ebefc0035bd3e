import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeWhole } from '@wherry/pki';
import type { Context } from '../context.ts';
import { hasCode } from '../failure.ts';
import { type TokenText, tokenText } from './bootstrap-token.ts';
import type { ClusterInfo } from './cluster-info.ts';

export interface BootstrapFiles {
  readonly authority: string;
  readonly bootstrap: string;
}

/** What a kubelet needs to ask for its own certificate: whom to trust, and the token. */
export async function writeBootstrapFiles(files: BootstrapFiles, info: ClusterInfo, token: TokenText): Promise<void> {
  await writeWhole(files.authority, info.authority, 0o644);
  await writeWhole(files.bootstrap, bootstrapKubeconfig(info, token), 0o600);
}

function bootstrapKubeconfig({ server, authority }: ClusterInfo, token: TokenText): string {
  return [
    'apiVersion: v1',
    'kind: Config',
    'clusters:',
    '- name: kubernetes',
    '  cluster:',
    `    certificate-authority-data: ${Buffer.from(authority).toString('base64')}`,
    `    server: ${server}`,
    'users:',
    '- name: tls-bootstrap-token-user',
    '  user:',
    `    token: ${tokenText(token)}`,
    'contexts:',
    '- name: tls-bootstrap-token-user@kubernetes',
    '  context:',
    '    cluster: kubernetes',
    '    user: tls-bootstrap-token-user',
    'current-context: tls-bootstrap-token-user@kubernetes',
    '',
  ].join('\n');
}

/** Whether the node has a certificate of its own that has not ended. */
export async function hasCertificate(context: Context, path: string): Promise<boolean> {
  try {
    return new X509Certificate(await readFile(path)).validToDate.getTime() > context.clock.now();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
