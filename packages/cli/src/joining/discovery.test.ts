import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@wherry/daemon';
import { controlPlaneWishes, detachedSignature, ensureTree } from '@wherry/pki';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../context.ts';
import { authorityHash, parseClusterInfo, renderClusterInfo } from './cluster-info.ts';
import { discover } from './discovery.ts';

const token = { id: 'abcdef', secret: '0123456789abcdef' };
const HOUR_MS = 3_600_000;

let folder: string;
let server: Server;
let authority: string;
let foreign: string;
let content: string;
/** What the server answers, by the number of the request. */
let answer: (turn: number) => { readonly status?: number; readonly data?: object; readonly date?: string };
let turn: number;
let authorizations: (string | undefined)[];
const said: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-discovery-'));
  const names = { ipAddresses: [], dnsNames: [], serviceIp: '10.96.0.1', clusterDomain: 'cluster.local' };
  for (const pki of ['ours', 'foreign']) {
    await ensureTree(join(folder, pki), controlPlaneWishes(names), systemClock.now());
  }
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  authority = await read('ours/ca.crt');
  foreign = await read('foreign/ca.crt');
  const pair = { cert: await read('ours/apiserver.crt'), key: await read('ours/apiserver.key') };
  server = createServer(pair, (request, response) => {
    authorizations.push(request.headers.authorization);
    const { status = 200, data = {}, date } = answer(turn++);
    response.writeHead(status, { 'content-type': 'application/json', ...(date === undefined ? {} : { date }) });
    response.end(JSON.stringify({ kind: 'ConfigMap', data }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  content = renderClusterInfo({ server: 'https://192.0.2.1:6443', authority });
  answer = () => ({ data: signed(content) });
  turn = 0;
  authorizations = [];
  said.length = 0;
});

const signed = (text: string, secret = token.secret) => ({
  kubeconfig: text,
  [`jws-kubeconfig-${token.id}`]: detachedSignature(text, token.id, secret),
});

function find(pins: readonly string[], more: { readonly port?: number; readonly nowMs?: number } = {}) {
  const { port } = server.address() as AddressInfo;
  const clock = { ...systemClock, now: () => more.nowMs ?? systemClock.now() };
  const context = { clock, random: systemRandom, signal: new AbortController().signal } as unknown as Context;
  return discover(context, {
    endpoint: `127.0.0.1:${more.port ?? port}`,
    token,
    pins,
    timeoutMs: 0,
    waiting: (why) => said.push(why),
  });
}

const pin = () => authorityHash(authority);

describe('discovery', () => {
  it('finds the cluster, without ever showing the token', async () => {
    expect(await find([pin()])).toEqual({ server: 'https://192.0.2.1:6443', authority });
    expect(authorizations).toEqual([undefined, undefined]);
  });

  it('trusts one of several pins', async () => {
    expect((await find([authorityHash(foreign), pin()])).authority).toBe(authority);
  });

  it('asks once only, when no authority is pinned', async () => {
    await find([]);
    expect(turn).toBe(1);
  });

  const refusals: readonly (readonly [string, () => typeof answer, () => readonly string[], string])[] = [
    [
      'somebody who does not know the token',
      () => () => ({ data: signed(content, 'fedcba9876543210') }),
      () => [pin()],
      "failed to verify JWS signature of received cluster info object, can't trust this API Server",
    ],
    [
      'a description that was changed after it was signed',
      () => () => ({ data: { ...signed(content), kubeconfig: content.replace('192.0.2.1', '192.0.2.9') } }),
      () => [pin()],
      'failed to verify JWS signature',
    ],
    [
      'another authority than the one pinned',
      () => answer,
      () => [authorityHash(foreign)],
      'cluster CA found in cluster-info ConfigMap is invalid: none of the public keys "sha256:',
    ],
    [
      'a server that the authority does not vouch for',
      () => () => ({ data: signed(renderClusterInfo({ server: 'https://192.0.2.1:6443', authority: foreign })) }),
      () => [authorityHash(foreign)],
      'is not to be trusted',
    ],
    [
      'a second answer that differs',
      () => (at) => ({ data: signed(at === 0 ? content : `${content}# more\n`) }),
      () => [pin()],
      'the second kubeconfig from the cluster-info ConfigMap (using validated TLS) was different from the first',
    ],
    [
      'a token that is not there',
      () => () => ({ data: { kubeconfig: content } }),
      () => [pin()],
      'token id "abcdef" is invalid for this cluster or it has expired',
    ],
    [
      'a cluster that publishes nothing',
      () => () => ({ data: {} }),
      () => [pin()],
      "This API Server isn't set up for token bootstrapping, can't connect",
    ],
    [
      'a server without bootstrap tokens',
      () => () => ({ status: 401 }),
      () => [pin()],
      '--enable-bootstrap-token-auth',
    ],
    ['a cluster without add-ons', () => () => ({ status: 403 }), () => [pin()], '"wherry addons apply"'],
  ];
  it.each(refusals)('refuses %s', async (_, answers, pins, words) => {
    answer = answers();
    await expect(find(pins())).rejects.toThrow(words);
  });

  it('says when nobody is there', async () => {
    await expect(find([pin()], { port: 1 })).rejects.toThrow('cannot reach https://127.0.0.1:1: connect ECONNREFUSED');
  });

  it.each([
    [-HOUR_MS, "this host's clock is 60 minutes behind the API server's"],
    [HOUR_MS, "this host's clock is 60 minutes ahead of the API server's"],
  ])('says when the clock is %i ms off', async (offMs, words) => {
    await expect(find([pin()], { nowMs: systemClock.now() + offMs })).rejects.toThrow(words);
  });
});

describe('cluster-info', () => {
  it('is read as it is written, and as kubeadm writes it', () => {
    const info = { server: 'https://192.0.2.1:6443', authority };
    expect(parseClusterInfo(renderClusterInfo(info))).toEqual(info);
    expect(parseClusterInfo('apiVersion: v1\nclusters: null\n')).toBeUndefined();
    expect(parseClusterInfo('')).toBeUndefined();
  });
});
