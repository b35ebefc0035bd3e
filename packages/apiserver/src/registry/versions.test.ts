import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let api: TestServer;

beforeAll(async () => {
  api = await startTestServer();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

describe('kinds with several versions', () => {
  it('show one autoscaler in both', async () => {
    const group = '/apis/autoscaling';
    const spec = {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 70,
    };
    const path = 'namespaces/default/horizontalpodautoscalers';
    const made = await api.request('POST', `${group}/v1/${path}`, { body: { metadata: { name: 'h' }, spec } });
    expect([made.status, made.json.apiVersion, made.json.spec]).toMatchObject([201, 'autoscaling/v1', spec]);
    const newer = await api.request('GET', `${group}/v2/${path}/h`);
    expect(newer.json).toMatchObject({
      apiVersion: 'autoscaling/v2',
      spec: { metrics: [{ resource: { name: 'cpu', target: { averageUtilization: 70 } } }] },
    });
    const older = await api.request('GET', `${group}/v1/${path}`);
    expect(older.json).toMatchObject({ apiVersion: 'autoscaling/v1', items: [{ apiVersion: 'autoscaling/v1', spec }] });
  });

  it('show one event in both groups, on watches too', async () => {
    const watch = await api.watch('/apis/events.k8s.io/v1/events?watch=1&resourceVersion=0');
    const involvedObject = { kind: 'Pod', namespace: 'default', name: 'p' };
    const body = { metadata: { name: 'e' }, involvedObject, reason: 'R', message: 'm', type: 'Normal' };
    expect((await api.request('POST', '/api/v1/namespaces/default/events', { body })).status).toBe(201);
    expect(await watch.next()).toMatchObject({
      type: 'ADDED',
      object: { apiVersion: 'events.k8s.io/v1', kind: 'Event', regarding: involvedObject, note: 'm' },
    });
    watch.close();
    const found = await api.request('GET', '/apis/events.k8s.io/v1/events?fieldSelector=regarding.name%3Dp');
    expect(found.json.items).toHaveLength(1);
  });
});
