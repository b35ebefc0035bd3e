import { type Lease, StatusError } from '@wherry/api';
import { Scope, seededRandom, silentLogger, VirtualClock } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../api/api-client.ts';
import { json, ScriptedTransport } from '../testing/scripted-transport.ts';
import { LeaderElector } from './leader-elector.ts';

/** One Lease with optimistic concurrency; `down` refuses connections, `silent` takes requests and does not answer. */
class LeaseServer {
  lease: Lease | undefined;
  down = false;
  silent = false;
  reads = 0;
  consistentReads = 0;
  #version = 0;

  transport(): ScriptedTransport {
    return new ScriptedTransport(({ method, path, body, signal }) => {
      if (this.down) return undefined;
      if (this.silent)
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      if (method === 'GET') this.reads++;
      if (method === 'GET' && !path.includes('resourceVersion=0')) this.consistentReads++;
      if (method === 'GET') return this.lease === undefined ? refusal(404, 'NotFound') : json(this.lease);
      const sent = JSON.parse(String(body)) as Lease;
      if (method === 'PUT' && sent.metadata?.resourceVersion !== this.lease?.metadata?.resourceVersion) {
        return refusal(409, 'Conflict');
      }
      this.lease = { ...sent, metadata: { ...sent.metadata, resourceVersion: String(++this.#version) } };
      return json(this.lease);
    });
  }
}
const refusal = (code: number, reason: 'NotFound' | 'Conflict') =>
  json(new StatusError({ status: 'Failure', code, reason, message: reason }).status, code);

const named = (resourceVersion: string) => ({ namespace: 'kube-system', name: 'kube-scheduler', resourceVersion });

describe('LeaderElector', () => {
  let clock: VirtualClock;
  let server: LeaseServer;
  let log: string[];
  const scopes: Scope[] = [];

  beforeEach(() => {
    clock = new VirtualClock();
    server = new LeaseServer();
    log = [];
  });
  afterEach(() => Promise.all(scopes.splice(0).map((scope) => scope.close())));

  function candidate(identity: string): Scope {
    const scope = new Scope(identity, silentLogger);
    scopes.push(scope);
    const elector = new LeaderElector({
      client: new ApiClient(server.transport()),
      clock,
      random: seededRandom(identity.length),
      logger: silentLogger,
      namespace: 'kube-system',
      name: 'kube-scheduler',
      identity,
    });
    const note = (what: string) => log.push(`${identity} ${what} at ${Math.round(clock.monotonicMs() / 1000)}`);
    elector.run(
      scope,
      () => note('leads'),
      () => note('lost'),
    );
    return scope;
  }

  it('leads at once when nobody does, and renews', async () => {
    candidate('a');
    await clock.advance(60_000);
    expect(log).toEqual(['a leads at 0']);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
  });

  it('renews without reading, until somebody else has written the lease', async () => {
    candidate('a');
    await clock.advance(1_000);
    const { reads } = server;
    await clock.advance(20_000);
    expect(server.reads).toBe(reads);
    server.lease = { ...server.lease, metadata: named('annotated') };
    await clock.advance(10_000);
    expect(server.reads).toBe(reads + 1);
    expect(log).toEqual(['a leads at 0']);
    expect(server.lease?.metadata?.resourceVersion).not.toBe('annotated');
  });

  it('takes over one lease duration after the last renewal it saw', async () => {
    server.lease = { metadata: named('0'), spec: { holderIdentity: 'dead', leaseTransitions: 4 } };
    candidate('b');
    await clock.advance(14_900);
    expect(log).toEqual([]);
    await clock.advance(4_500);
    expect(log).toHaveLength(1);
    expect(server.lease.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 5 });
  });

  it('waits on the memory of the server, and asks the store before it takes over', async () => {
    server.lease = { metadata: named('0'), spec: { holderIdentity: 'dead', leaseTransitions: 4 } };
    candidate('b');
    await clock.advance(12_000);
    expect(server.reads).toBeGreaterThan(3);
    expect(server.consistentReads).toBe(1);
    await clock.advance(8_000);
    expect(log).toHaveLength(1);
    expect(server.consistentReads).toBe(2);
  });

  it('gives up when it cannot renew for the renew deadline', async () => {
    candidate('a');
    await clock.advance(1_000);
    server.down = true;
    await clock.advance(30_000);
    expect(log).toEqual(['a leads at 0', 'a lost at 10']);
  });

  it('gives up as soon as it sees another holder', async () => {
    candidate('a');
    await clock.advance(1_000);
    server.lease = { ...server.lease, spec: { holderIdentity: 'thief' }, metadata: named('x') };
    await clock.advance(2_000);
    expect(log).toEqual(['a leads at 0', 'a lost at 2']);
  });

  it('releases the lease when it stops, so that the next one need not wait', async () => {
    const first = candidate('a');
    await clock.advance(1_000);
    candidate('b');
    await first.close();
    await clock.advance(5_000);
    expect(log[1]).toMatch(/^b leads at [1-5]$/);
    expect(server.lease?.spec?.holderIdentity).toBe('b');
  });

  it('stops without having released the lease when the server does not answer', async () => {
    const scope = candidate('a');
    await clock.advance(1_000);
    server.silent = true;
    let closed = false;
    const closing = scope.close().then(() => {
      closed = true;
    });
    await clock.advance(1_900);
    expect(closed).toBe(false);
    await clock.advance(200);
    await closing;
  });
});
