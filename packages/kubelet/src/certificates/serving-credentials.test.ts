import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scope, silentLogger, systemClock, systemRandom } from '@wherry/daemon';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { SigningApi } from '../testing/signing-api.ts';
import type { Pair } from './pair.ts';
import { servingCredentials } from './serving-credentials.ts';

let folder: string;
let scope: Scope;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-serving-'));
  scope = new Scope('test', silentLogger);
});
afterEach(async () => {
  await scope.close();
  await rm(folder, { recursive: true, force: true });
});

const serve = (api: SigningApi, more: Partial<Parameters<typeof servingCredentials>[0]> = {}) =>
  servingCredentials({
    nodeName: 'n1',
    nodeIp: '10.0.0.1',
    certificateDirectory: join(folder, 'pki'),
    given: undefined,
    rotate: false,
    client: api.client,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    scope,
    ...more,
  });

it('serves with what it was given', async () => {
  const { cert, key } = await (await testAuthority()).issue('n1');
  const files = { cert: join(folder, 'a.crt'), key: join(folder, 'a.key') };
  await writeFile(files.cert, cert);
  await writeFile(files.key, key);
  const api = new SigningApi(await testAuthority(), systemClock);
  expect((await serve(api, { given: files })).pair).toEqual({ cert, key });
});

it('serves with what it signed itself, the same after a restart, another under another address', async () => {
  const api = new SigningApi(await testAuthority(), systemClock);
  const { pair } = await serve(api);
  expect(new X509Certificate(pair.cert).checkIP('10.0.0.1')).toBe('10.0.0.1');
  expect((await serve(api)).pair.cert).toBe(pair.cert);
  const moved = await serve(api, { nodeIp: '10.0.0.2' });
  expect(new X509Certificate(moved.pair.cert).checkIP('10.0.0.2')).toBe('10.0.0.2');
  expect(api.requests).toEqual([]);
});

it('serves with what the cluster signed, as soon as it has', async () => {
  const authority = await testAuthority();
  const api = new SigningApi(authority, systemClock);
  const first = await serve(api, { rotate: true });
  const signed = Promise.withResolvers<Pair>();
  first.follow((pair) => signed.resolve(pair));
  const { cert } = await signed.promise;
  expect(new X509Certificate(cert).verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
  expect(api.requests[0]?.spec).toMatchObject({
    signerName: 'kubernetes.io/kubelet-serving',
    usages: ['digital signature', 'server auth'],
  });
  expect((await serve(api, { rotate: true })).pair.cert.trim()).toBe(cert.trim());
});
