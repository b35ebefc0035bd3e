import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../testing/test-server.ts';

const core = '/api/v1/namespaces/default';
let api: TestServer;

beforeAll(async () => {
  api = await startTestServer();
  await api.request('POST', `${core}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const pod = (name: string, more: object = {}) => ({
  metadata: { name, labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image: 'i' }], ...more },
});
const createPod = (name: string, more: object = {}) => api.request('POST', `${core}/pods`, { body: pod(name, more) });

describe('pods', () => {
  it('get a service account, a token volume, tolerations and a priority', async () => {
    const { status, json } = await createPod('full', { priorityClassName: 'system-node-critical' });
    expect(status).toBe(201);
    expect(json).toMatchObject({
      spec: {
        serviceAccountName: 'default',
        priority: 2_000_001_000,
        tolerations: [
          { key: 'node.kubernetes.io/not-ready', tolerationSeconds: 300 },
          { key: 'node.kubernetes.io/unreachable' },
        ],
        containers: [{ volumeMounts: [{ mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] }],
      },
      status: { phase: 'Pending' },
    });
    const unknown = await createPod('none', { serviceAccountName: 'nobody' });
    expect([unknown.status, unknown.json.message]).toEqual([
      403,
      expect.stringContaining('serviceaccount "nobody" not found'),
    ]);
    expect((await createPod('class', { priorityClassName: 'nope' })).status).toBe(403);
  });

  it('are bound once', async () => {
    await createPod('bound');
    const bind = (node: string) =>
      api.request('POST', `${core}/pods/bound/binding`, {
        body: { metadata: { name: 'bound' }, target: { kind: 'Node', name: node } },
      });
    expect((await bind('n1')).status).toBe(201);
    const again = await bind('n2');
    expect([again.status, again.json.message]).toEqual([
      409,
      expect.stringContaining('pod bound is already assigned to node "n1"'),
    ]);
    const { json } = await api.request('GET', `${core}/pods/bound`);
    expect(json).toMatchObject({
      spec: { nodeName: 'n1' },
      status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
    });
    const list = await api.request('GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dn1');
    expect(list.json.items).toHaveLength(1);
  });

  it('end after their grace period when they run, at once when they never ran', async () => {
    await createPod('unbound');
    await api.request('DELETE', `${core}/pods/unbound`);
    expect((await api.request('GET', `${core}/pods/unbound`)).status).toBe(404);
    const ending = await api.request('DELETE', `${core}/pods/bound`, { body: { gracePeriodSeconds: 7 } });
    expect(ending.json.metadata).toMatchObject({ deletionGracePeriodSeconds: 7 });
    const gone = await api.request('DELETE', `${core}/pods/bound`, {
      body: { gracePeriodSeconds: 0, preconditions: { uid: 'other' } },
    });
    expect(gone.status).toBe(409);
    expect((await api.request('DELETE', `${core}/pods/bound?gracePeriodSeconds=0`)).status).toBe(200);
    expect((await api.request('GET', `${core}/pods/bound`)).status).toBe(404);
  });

  it('are evicted only as far as budgets allow', async () => {
    await createPod('e1');
    await api.request('POST', `${core}/pods/e1/binding`, {
      body: { metadata: { name: 'e1' }, target: { name: 'n1' } },
    });
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await api.request('PATCH', `${core}/pods/e1/status`, {
      body: { status },
      contentType: 'application/merge-patch+json',
    });
    const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
    await api.request('POST', budgets, {
      body: { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } } },
    });
    const body = { metadata: { name: 'e1' } };
    const early = await api.request('POST', `${core}/pods/e1/eviction`, { body });
    expect([early.status, early.json.reason]).toEqual([429, 'TooManyRequests']);
    const allowed = {
      observedGeneration: 1,
      disruptionsAllowed: 1,
      currentHealthy: 2,
      desiredHealthy: 1,
      expectedPods: 2,
    };
    await api.request('PATCH', `${budgets}/b/status`, {
      body: { status: allowed },
      contentType: 'application/merge-patch+json',
    });
    expect((await api.request('POST', `${core}/pods/e1/eviction`, { body })).status).toBe(201);
    const spent = await api.request('GET', `${budgets}/b`);
    expect(spent.json).toMatchObject({ status: { disruptionsAllowed: 0 } });
  });
});

describe('scale', () => {
  it('shows and changes replicas', async () => {
    const labels = { app: 's' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const target = '/apis/apps/v1/namespaces/default/deployments';
    await api.request('POST', target, {
      body: { metadata: { name: 's' }, spec: { replicas: 1, selector: { matchLabels: labels }, template } },
    });
    const { json } = await api.request('GET', `${target}/s/scale`);
    expect(json).toMatchObject({ kind: 'Scale', spec: { replicas: 1 }, status: { selector: 'app=s' } });
    const put = await api.request('PUT', `${target}/s/scale`, { body: { ...json, spec: { replicas: 4 } } });
    expect(put.json.spec).toEqual({ replicas: 4 });
    const stale = await api.request('PUT', `${target}/s/scale`, { body: { ...json, spec: { replicas: 5 } } });
    expect(stale.status).toBe(409);
    const negative = await api.request('PATCH', `${target}/s/scale`, {
      body: { spec: { replicas: -1 } },
      contentType: 'application/merge-patch+json',
    });
    expect(negative.status).toBe(422);
  });
});

describe('services', () => {
  const service = (name: string, spec: object) =>
    api.request('POST', `${core}/services`, { body: { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } } });

  it('get addresses and ports of their own, and give them back', async () => {
    const one = await service('one', { type: 'NodePort' });
    const spec = one.json.spec as { clusterIP: string; ports: readonly { nodePort: number }[] };
    expect(spec.clusterIP).toMatch(/^10\.(9[6-9]|10\d|11[01])\./);
    const nodePort = spec.ports[0]?.nodePort ?? 0;
    expect(nodePort).toBeGreaterThanOrEqual(30_000);
    const sameIp = await service('two', { clusterIP: spec.clusterIP });
    expect([sameIp.status, sameIp.json.message]).toEqual([
      422,
      expect.stringContaining('provided IP is already allocated'),
    ]);
    const samePort = await service('two', { type: 'NodePort', ports: [{ port: 80, nodePort }] });
    expect([samePort.status, samePort.json.message]).toEqual([
      422,
      expect.stringContaining('provided port is already allocated'),
    ]);
    const outside = await service('two', { type: 'NodePort', ports: [{ port: 80, nodePort: 99 }] });
    expect(outside.json.message).toContain('The range of valid ports is 30000-32767');
    await api.request('DELETE', `${core}/services/one`);
    const again = await service('two', {
      type: 'NodePort',
      clusterIP: spec.clusterIP,
      ports: [{ port: 80, nodePort }],
    });
    expect(again.status).toBe(201);
  });

  it('find the first and the tenth address taken at start', async () => {
    const { json } = await api.request('GET', `${core}/services/kubernetes`);
    expect(json.spec).toMatchObject({ clusterIP: '10.96.0.1' });
    expect((await service('first', { clusterIP: '10.96.0.1' })).status).toBe(422);
  });
});

describe('tokens', () => {
  it('are bound to an account that lives', async () => {
    await api.request('POST', `${core}/serviceaccounts`, { body: { metadata: { name: 'bob' } } });
    const made = await api.request('POST', `${core}/serviceaccounts/bob/token`, {
      body: { spec: { expirationSeconds: 600 } },
    });
    expect(made.status).toBe(201);
    const { token } = made.json.status as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    const who = await api.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      user: null,
      headers,
      body: {},
    });
    expect(who.json.status).toMatchObject({
      userInfo: {
        username: 'system:serviceaccount:default:bob',
        groups: expect.arrayContaining(['system:serviceaccounts:default']),
      },
    });
    const review = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { spec: { token } },
    });
    expect(review.json.status).toMatchObject({ authenticated: true });
    await api.request('DELETE', `${core}/serviceaccounts/bob`);
    const dead = await api.request('GET', '/version', { user: null, headers });
    expect(dead.status).toBe(401);
    const short = await api.request('POST', `${core}/serviceaccounts/default/token`, {
      body: { spec: { expirationSeconds: 60 } },
    });
    expect(short.status).toBe(422);
  });
});

describe('deletecollection', () => {
  it('deletes what is selected', async () => {
    for (const name of ['x1', 'x2', 'y1']) {
      await api.request('POST', `${core}/configmaps`, {
        body: { metadata: { name, labels: { of: name.slice(0, 1) } } },
      });
    }
    const { status, json } = await api.request('DELETE', `${core}/configmaps?labelSelector=of%3Dx`);
    expect([status, json.items?.length]).toEqual([200, 2]);
    expect((await api.request('GET', `${core}/configmaps/x1`)).status).toBe(404);
    expect((await api.request('GET', `${core}/configmaps/y1`)).status).toBe(200);
  });
});
