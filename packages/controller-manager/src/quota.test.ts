import { type PersistentVolumeClaim, resources } from '@wherry/api';
import { afterEach, expect, it } from 'vitest';
import { World } from './testing/world.ts';

let world: World;
afterEach(() => world.close());

const used = () => world.api.list(resources.resourcequotas)[0]?.status?.used;

it('a quota is counted when it appears, when objects go, and not when they come', async () => {
  world = new World('resourcequota-controller');
  const map = (name: string) => ({ metadata: { name, namespace: 'ns' } });
  await world.client.create(resources.configmaps, map('a'));
  await world.client.create(resources.configmaps, map('elsewhere'), { namespace: 'other' }).catch(() => undefined);
  await world.client.create(resources.resourcequotas, {
    metadata: { name: 'q', namespace: 'ns' },
    spec: { hard: { configmaps: '5', 'count/configmaps': '5', pods: '1' } },
  });
  await world.run(1_000);
  expect(used()).toEqual({ configmaps: '1', 'count/configmaps': '1', pods: '0' });
  await world.client.create(resources.configmaps, map('b'));
  await world.run(1_000);
  // Reserving is the API server's part; the regular count comes later.
  expect(used()?.['configmaps']).toBe('1');
  await world.client.delete(resources.configmaps, 'a', { namespace: 'ns' });
  await world.client.delete(resources.configmaps, 'b', { namespace: 'ns' });
  await world.run(1_000);
  expect(used()?.['configmaps']).toBe('0');
  await world.client.create(resources.configmaps, map('c'));
  await world.run(310_000, 10_000);
  expect(used()?.['configmaps']).toBe('1');
});

it('a deleted claim goes when its last pod is gone', async () => {
  world = new World('persistentvolumeclaim-protection-controller');
  world.kubeletsRun = false;
  const claim: PersistentVolumeClaim = { metadata: { name: 'data', namespace: 'ns' } };
  await world.client.create(resources.persistentvolumeclaims, claim);
  await world.client.create(resources.pods, {
    metadata: { name: 'p', namespace: 'ns' },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'c' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    },
  });
  await world.run(1_000);
  const claims = () => world.api.list(resources.persistentvolumeclaims);
  expect(claims()[0]?.metadata?.finalizers).toEqual(['kubernetes.io/pvc-protection']);
  await world.client.delete(resources.persistentvolumeclaims, 'data', { namespace: 'ns' });
  await world.run(1_000);
  expect(claims()[0]?.metadata?.deletionTimestamp).toBeDefined();
  await world.client.delete(resources.pods, 'p', { namespace: 'ns', gracePeriodSeconds: 0 });
  await world.run(1_000);
  expect(claims()).toEqual([]);
});
