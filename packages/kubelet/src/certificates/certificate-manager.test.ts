import { mkdtemp, readdir, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scope, seededRandom, silentLogger, systemClock, VirtualClock } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testAuthority } from '../testing/certificates.ts';
import { SigningApi } from '../testing/signing-api.ts';
import { CertificateManager } from './certificate-manager.ts';
import { CertificateStore } from './certificate-store.ts';
import type { KnownPair } from './pair.ts';

const template = { commonName: 'system:node:n1', organization: 'system:nodes', ipAddresses: ['10.0.0.1'] };
const DAY_MS = 86_400_000;

let folder: string;
let clock: VirtualClock;
let api: SigningApi;
let scope: Scope;
const changes: KnownPair[] = [];
const asked: (KnownPair | undefined)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wherry-certificates-'));
  clock = new VirtualClock();
  api = new SigningApi(await testAuthority(), clock);
  scope = new Scope('test', silentLogger);
  changes.length = 0;
  asked.length = 0;
});
afterEach(async () => {
  const closing = scope.close();
  await clock.advance(0);
  await closing;
  await rm(folder, { recursive: true, force: true });
});

const storeOf = () => new CertificateStore(join(folder, 'pki'), 'kubelet-client', clock);

function start(current?: KnownPair): CertificateManager {
  const manager = new CertificateManager(
    {
      name: 'client',
      store: storeOf(),
      template,
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
      asking: (pair, work) => {
        asked.push(pair);
        return work(api.client);
      },
      onChange: (pair) => changes.push(pair),
      clock,
      random: seededRandom(1),
      logger: silentLogger,
    },
    current,
  );
  scope.run('manager', (signal) => manager.run(signal));
  return manager;
}

/** Keys are made outside of the virtual clock's sight. */
async function until(what: string, holds: () => boolean, stepMs = 100): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + 10_000;
  while (!holds()) {
    if (systemClock.monotonicMs() > deadlineMs) throw new Error(`timed out waiting until ${what}`);
    await clock.advance(stepMs);
    await systemClock.sleep(2);
  }
}

describe('a certificate', () => {
  it('is asked for as upstream does, kept in one file with its key, and linked', async () => {
    start();
    await until('it is there', () => changes.length === 1);
    expect(api.requests[0]?.spec).toMatchObject({
      signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
      usages: ['digital signature', 'client auth'],
    });
    expect(changes[0]?.facts).toMatchObject({
      commonName: 'system:node:n1',
      organizations: ['system:nodes'],
      ipAddresses: ['10.0.0.1'],
    });
    const link = await readlink(join(folder, 'pki', 'kubelet-client-current.pem'));
    expect(link).toMatch(/^kubelet-client-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.pem$/);
    expect((await stat(join(folder, 'pki', link))).mode & 0o777).toBe(0o600);
    expect((await storeOf().current())?.cert.trim()).toBe(changes[0]?.cert.trim());
  });

  it('is renewed between 70 and 90 % of its life, with itself as the proof', async () => {
    api.lifeMs = 100 * DAY_MS;
    start();
    await until('it is there', () => changes.length === 1);
    const [first] = changes;
    const bornMs = first?.facts.notBeforeMs ?? 0;
    await clock.advance(bornMs + 69 * DAY_MS - clock.now());
    expect(api.requests).toHaveLength(1);
    await until('it is renewed', () => changes.length === 2, DAY_MS / 4);
    expect(clock.now() - bornMs).toBeLessThan(90.5 * DAY_MS);
    expect(asked).toEqual([undefined, first]);
    expect(changes[1]?.key).not.toBe(first?.key);
    expect((await readdir(join(folder, 'pki'))).length).toBe(3);
  });

  it('that is in use already is left alone until its time', async () => {
    start();
    await until('it is there', () => changes.length === 1);
    start(changes[0]);
    await clock.advance(60_000);
    expect(api.requests).toHaveLength(1);
  });

  it('that has expired is no proof any more', async () => {
    start();
    await until('it is there', () => changes.length === 1);
    api.decision = 'refuse';
    await until('it has expired', () => clock.now() > (changes[0]?.facts.notAfterMs ?? 0), 10_000);
    api.decision = 'sign';
    await until('there is another', () => changes.length === 2, 1_000);
    expect(asked.at(-1)).toBeUndefined();
  });

  it.each(['deny', 'refuse'] as const)('is asked for again when the cluster would %s', async (decision) => {
    api.decision = decision;
    start();
    await until('it was asked for', () => asked.length >= 2);
    expect(changes).toEqual([]);
    api.decision = 'sign';
    await until('it is there', () => changes.length === 1);
  });

  it('may wait for a person’s approval, with one request', async () => {
    api.decision = 'wait';
    start();
    await until('it was asked for', () => api.requests.length === 1);
    await clock.advance(600_000);
    expect(api.requests).toHaveLength(1);
    api.decision = 'sign';
    await until('it is there', () => changes.length === 1);
    expect(api.requests).toHaveLength(1);
  });
});
