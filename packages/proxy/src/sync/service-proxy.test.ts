import type { EndpointSlice, Service } from '@wherry/api';
import { InformerCache } from '@wherry/client';
import { createMetrics, Scope, silentLogger, VirtualClock } from '@wherry/daemon';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dataplane } from '../dataplane/dataplane.ts';
import type { RuleChange } from '../plan/difference.ts';
import { BY_SERVICE, SERVICE_NAME_LABEL, ServiceProxy, serviceKeyOf } from './service-proxy.ts';
import { createSyncMetrics } from './sync-metrics.ts';

const service: Service = {
  metadata: { namespace: 'shop', name: 'web', uid: 'u', resourceVersion: '1' },
  spec: { clusterIP: '10.96.0.5', ports: [{ port: 80 }] },
};

function slice(name: string, ...ips: string[]): EndpointSlice {
  return {
    metadata: {
      namespace: 'shop',
      name,
      uid: name,
      resourceVersion: ips.join(),
      labels: { [SERVICE_NAME_LABEL]: 'web' },
    },
    addressType: 'IPv4',
    ports: [{ port: 8080 }],
    endpoints: ips.map((ip) => ({ addresses: [ip] })),
  };
}

describe('ServiceProxy', () => {
  let clock: VirtualClock;
  let scope: Scope;
  let services: InformerCache<Service>;
  let slices: InformerCache<EndpointSlice>;
  let proxy: ServiceProxy;
  let calls: string[];
  let failures: number;
  let intact: boolean;

  beforeEach(() => {
    clock = new VirtualClock();
    scope = new Scope('test', silentLogger);
    services = new InformerCache<Service>({}, (object) => object);
    slices = new InformerCache<EndpointSlice>(
      { [BY_SERVICE]: (object) => [serviceKeyOf(object)].filter((key) => key !== undefined) },
      (object) => object,
    );
    calls = [];
    failures = 0;
    intact = true;
    const attempt = async (what: string) => {
      calls.push(what);
      await Promise.resolve();
      if (failures-- > 0) throw new Error('nft says no');
    };
    const dataplane: Dataplane = {
      mode: 'nftables',
      resync: (rules) => attempt(`resync ${rules.length}`),
      apply: (changes: readonly RuleChange[]) => attempt(changes.map(({ why }) => why).join('; ')),
      isIntact: async () => intact,
      unserved: () => [],
      close: async () => undefined,
      cleanUp: async () => undefined,
    };
    proxy = new ServiceProxy({
      services,
      slices,
      dataplane,
      nodeName: 'node-1',
      checkPeriodMs: 30_000,
      clock,
      logger: silentLogger,
      metrics: createSyncMetrics(createMetrics()),
    });
    proxy.run(scope);
  });
  afterEach(() => scope.close());

  const start = async () => {
    services.replace([service], '1');
    slices.replace([slice('a', '10.244.0.1')], '1');
    await clock.advance(0);
  };

  it('touches nothing before it knows everything, then makes all rules', async () => {
    services.replace([service], '1');
    await clock.advance(1000);
    expect(calls).toEqual([]);
    expect(proxy.lastUpdatedMs).toBeUndefined();
    slices.replace([slice('a', '10.244.0.1')], '1');
    await clock.advance(0);
    expect(calls).toEqual(['resync 1']);
    expect(proxy.lastUpdatedMs).toBe(clock.now());
  });

  it('passes a change on at once, as a difference, and nothing for what changes no rule', async () => {
    await start();
    slices.upsert(slice('a', '10.244.0.2'));
    await clock.advance(0);
    slices.upsert({ ...slice('a', '10.244.0.2'), metadata: { ...slice('a').metadata, resourceVersion: '9' } });
    await clock.advance(0);
    services.remove('shop/web');
    await clock.advance(0);
    expect(calls.slice(1)).toEqual([
      'endpoint 10.244.0.2:8080 added, endpoint 10.244.0.1:8080 removed',
      'service port shop/web:80/tcp is gone',
    ]);
  });

  it('makes everything anew after a failure, with growing waits', async () => {
    await start();
    failures = 2;
    slices.upsert(slice('a', '10.244.0.2'));
    await clock.advance(99);
    expect(proxy.oldestWaitMs).toBe(99);
    await clock.advance(1);
    await clock.advance(200);
    expect(calls.slice(2)).toEqual(['resync 1', 'resync 1']);
    expect(proxy.oldestWaitMs).toBe(0);
  });

  it('makes rules again that somebody flushed', async () => {
    await start();
    await clock.advance(30_000);
    expect(calls).toHaveLength(1);
    intact = false;
    await clock.advance(30_000);
    expect(calls).toEqual(['resync 1', 'resync 1']);
  });
});
