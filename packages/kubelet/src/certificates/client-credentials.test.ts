import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { resources } from '@wherry/api';
import { loadKubeconfig, readBody } from '@wherry/client';
import { Scope, silentLogger, systemClock, systemRandom } from '@wherry/daemon';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestAuthority, testAuthority } from '../testing/certificates.ts';
import { SigningApi } from '../testing/signing-api.ts';
import { connectToApi } from './client-credentials.ts';

let authority: TestAuthority;
let api: SigningApi;
let server: Server;
let folder: string;
let scope: Scope;
/** Who asked for what: the name in a certificate, or the token. */
let calls: { readonly who: string; readonly method: string; readonly fingerprint: string | undefined }[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-bootstrap-'));
  scope = new Scope('test', silentLogger);
  authority = await testAuthority();
  api = new SigningApi(authority, systemClock);
  calls = [];
  const { cert, key } = await authority.issue('apiserver');
  server = createServer(
    { cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: false },
    async (request, response) => {
      const { subject, fingerprint256 } = (request.socket as TLSSocket).getPeerCertificate();
      const who = String(subject?.CN ?? request.headers.authorization);
      calls.push({ who, method: request.method ?? '', fingerprint: fingerprint256 });
      let body = '';
      for await (const chunk of request) body += chunk;
      const method = request.method === 'POST' ? 'POST' : 'GET';
      const answer = await api.request({ method, path: request.url ?? '', body });
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(await readBody(answer));
    },
  );
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  await writeFile(bootstrapFile(), kubeconfigText('token: abcdef.0123456789abcdef'));
});
afterEach(async () => {
  await scope.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const bootstrapFile = () => join(folder, 'bootstrap.conf');
const kubeconfigFile = () => join(folder, 'conf', 'kubelet.conf');

function kubeconfigText(user: string): string {
  const { port } = server.address() as AddressInfo;
  const ca = Buffer.from(authority.cert).toString('base64');
  return [
    'current-context: c',
    `clusters: [{name: c, cluster: {server: "https://127.0.0.1:${port}", certificate-authority-data: ${ca}}}]`,
    'contexts: [{name: c, context: {cluster: c, user: u}}]',
    `users: [{name: u, user: {${user}}}]`,
  ].join('\n');
}

const connect = (more: { readonly rotate?: boolean; readonly bootstrapKubeconfig?: string | undefined } = {}) =>
  connectToApi({
    nodeName: 'n1',
    kubeconfig: kubeconfigFile(),
    bootstrapKubeconfig: bootstrapFile(),
    certificateDirectory: join(folder, 'pki'),
    rotate: true,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    scope,
    ...more,
  });

const asNode = async (client: Awaited<ReturnType<typeof connect>>) => {
  await client.get(resources.certificatesigningrequests, 'csr-0');
  return calls.at(-1)?.who;
};

it('asks with the token once, and is the node from then on, also after a restart', async () => {
  expect(await asNode(await connect())).toBe('system:node:n1');
  expect(calls[0]).toMatchObject({ who: 'Bearer abcdef.0123456789abcdef', method: 'POST' });
  const text = await readFile(kubeconfigFile(), 'utf8');
  expect(text).toContain(`client-certificate: ${join(folder, 'pki', 'kubelet-client-current.pem')}`);
  const { connection } = loadKubeconfig(text, () => 'pem');
  expect([connection.ca, connection.token]).toEqual([authority.cert, undefined]);
  const posts = () => calls.filter(({ method }) => method === 'POST').length;
  expect(await asNode(await connect())).toBe('system:node:n1');
  // Whoever joined needs the token no more.
  await rm(bootstrapFile());
  expect(await asNode(await connect())).toBe('system:node:n1');
  expect(await asNode(await connect({ rotate: false, bootstrapKubeconfig: undefined }))).toBe('system:node:n1');
  expect(posts()).toBe(1);
});

it('asks again with the token when its certificate has expired', async () => {
  api.lifeMs = 1_000;
  const before = await connect({ rotate: false });
  expect(await asNode(before)).toBe('system:node:n1');
  await systemClock.sleep(1_200);
  api.lifeMs = 1_000_000;
  await connect();
  expect(calls.filter(({ method }) => method === 'POST').map(({ who }) => who)).toEqual([
    'Bearer abcdef.0123456789abcdef',
    'Bearer abcdef.0123456789abcdef',
  ]);
});

it('renews a certificate that a kubeconfig brought, and prefers the renewed one', async () => {
  await rm(bootstrapFile());
  const nowMs = systemClock.now();
  const { newRequest } = await import('./new-pair.ts');
  const template = { commonName: 'system:node:n1', organization: 'system:nodes', ipAddresses: [] };
  const { request, key } = await newRequest(template);
  // Nine tenths of its life are over.
  const cert = await authority.sign(request, nowMs - 95_000, nowMs + 5_000);
  const data = (text: string) => Buffer.from(text).toString('base64');
  await mkdir(join(folder, 'conf'));
  await writeFile(
    kubeconfigFile(),
    kubeconfigText(`client-certificate-data: ${data(cert)}, client-key-data: ${data(key)}`),
  );
  await connect({ bootstrapKubeconfig: undefined });
  const stored = () => readFile(join(folder, 'pki', 'kubelet-client-current.pem'), 'utf8').catch(() => '');
  for (let turn = 0; turn < 500 && (await stored()) === ''; turn++) await systemClock.sleep(10);
  expect(await stored()).toContain('BEGIN CERTIFICATE');
  expect(calls[0]?.who).toBe('system:node:n1');
  // After a restart, though the kubeconfig still holds the old one.
  await asNode(await connect({ bootstrapKubeconfig: undefined }));
  expect(calls.at(-1)?.fingerprint).toBe(new X509Certificate(await stored()).fingerprint256);
});

it('says so when there is nothing to begin with', async () => {
  await rm(bootstrapFile());
  await expect(connect({ bootstrapKubeconfig: undefined })).rejects.toThrow('kubelet.conf');
});
