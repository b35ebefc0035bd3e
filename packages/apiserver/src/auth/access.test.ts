import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

let api: TestServer;
const alice = { name: 'alice', groups: [] };
const kubelet = { name: 'system:node:n1', groups: ['system:nodes'] };
const rbac = '/apis/rbac.authorization.k8s.io/v1';

beforeAll(async () => {
  api = await startTestServer();
  await api.request('POST', '/api/v1/namespaces/default/serviceaccounts', { body: { metadata: { name: 'default' } } });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

describe('authentication', () => {
  it('answers 401 without credentials, except to what tells nothing', async () => {
    const { status, json } = await api.request('GET', '/api/v1/pods', { user: null });
    expect([status, json.reason, json.message]).toEqual([401, 'Unauthorized', 'Unauthorized']);
    for (const path of ['/healthz', '/livez', '/readyz', '/version']) {
      expect((await api.request('GET', path, { user: null })).status).toBe(200);
    }
    expect((await api.request('GET', '/metrics', { user: null })).status).toBe(401);
  });

  it('answers 401 to tokens it does not know', async () => {
    const headers = { authorization: 'Bearer abc' };
    expect((await api.request('GET', '/version', { user: null, headers })).status).toBe(401);
  });
});

describe('RBAC', () => {
  it('says who may not do what, where', async () => {
    const list = await api.request('GET', '/api/v1/namespaces/default/pods', { user: alice });
    expect([list.status, list.json.message]).toEqual([
      403,
      'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default"',
    ]);
    const get = await api.request('GET', '/apis/apps/v1/namespaces/a/deployments/x/scale', { user: alice });
    expect(get.json.message).toBe(
      'deployments.apps "x" is forbidden: User "alice" cannot get resource "deployments/scale" in API group "apps" in the namespace "a"',
    );
    const path = await api.request('GET', '/metrics', { user: alice });
    expect(path.json.message).toBe('forbidden: User "alice" cannot get path "/metrics"');
    const nodes = await api.request('GET', '/api/v1/nodes', { user: alice });
    expect(nodes.json.message).toContain('at the cluster scope');
  });

  it('grants by binding, at once, and takes away with it', async () => {
    const rules = [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }];
    await api.request('POST', `${rbac}/namespaces/default/roles`, { body: { metadata: { name: 'r' }, rules } });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' };
    const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'alice' }];
    await api.request('POST', `${rbac}/namespaces/default/rolebindings`, {
      body: { metadata: { name: 'b' }, roleRef, subjects },
    });
    expect((await api.request('GET', '/api/v1/namespaces/default/pods', { user: alice })).status).toBe(200);
    expect((await api.request('GET', '/api/v1/namespaces/kube-system/pods', { user: alice })).status).toBe(403);
    const question = { spec: { resourceAttributes: { namespace: 'default', verb: 'list', resource: 'pods' } } };
    const can = await api.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      user: alice,
      body: question,
    });
    expect(can.json.status).toMatchObject({ allowed: true });
    await api.request('DELETE', `${rbac}/namespaces/default/rolebindings/b`);
    expect((await api.request('GET', '/api/v1/namespaces/default/pods', { user: alice })).status).toBe(403);
  });

  it('gives the aggregated roles what their parts hold', async () => {
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'viewer' }];
    await api.request('POST', `${rbac}/clusterrolebindings`, { body: { metadata: { name: 'v' }, roleRef, subjects } });
    const viewer = { name: 'viewer', groups: [] };
    expect((await api.request('GET', '/api/v1/pods', { user: viewer })).status).toBe(200);
    expect((await api.request('GET', '/api/v1/secrets', { user: viewer })).status).toBe(403);
  });

  it('lets nobody give more than he has', async () => {
    const rules = [{ verbs: ['create'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] }];
    await api.request('POST', `${rbac}/clusterroles`, { body: { metadata: { name: 'maker' }, rules } });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'maker' };
    const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'mallory' }];
    await api.request('POST', `${rbac}/clusterrolebindings`, { body: { metadata: { name: 'm' }, roleRef, subjects } });
    const mallory = { name: 'mallory', groups: [] };
    const secrets = [{ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }];
    const refused = await api.request('POST', `${rbac}/clusterroles`, {
      user: mallory,
      body: { metadata: { name: 'evil' }, rules: secrets },
    });
    expect([refused.status, refused.json.message]).toEqual([
      403,
      expect.stringContaining('is attempting to grant RBAC permissions not currently held'),
    ]);
    const same = await api.request('POST', `${rbac}/clusterroles`, {
      user: mallory,
      body: { metadata: { name: 'good' }, rules },
    });
    expect(same.status).toBe(201);
  });

  it('lets those impersonate who may', async () => {
    const headers = { 'impersonate-user': 'alice', 'impersonate-group': ['system:masters'] };
    expect((await api.request('GET', '/api/v1/pods', { headers })).status).toBe(200);
    expect((await api.request('GET', '/api/v1/pods', { headers: { 'impersonate-user': 'alice' } })).status).toBe(403);
    const refused = await api.request('GET', '/api/v1/pods', { user: alice, headers });
    expect(refused.json.message).toContain('cannot impersonate resource "users"');
  });
});

describe('nodes', () => {
  const core = '/api/v1/namespaces/default';

  it('read what their pods use and nothing else', async () => {
    await api.request('POST', `${core}/secrets`, { body: { metadata: { name: 'used' } } });
    await api.request('POST', `${core}/secrets`, { body: { metadata: { name: 'other' } } });
    const volumes = [{ name: 's', secret: { secretName: 'used' } }];
    const spec = { nodeName: 'n1', volumes, containers: [{ name: 'c', image: 'i' }] };
    await api.request('POST', `${core}/pods`, { body: { metadata: { name: 'mine' }, spec } });
    const as = (target: string) => api.request('GET', target, { user: kubelet });
    expect((await as(`${core}/secrets/used`)).status).toBe(200);
    expect((await as(`${core}/secrets/other`)).json.message).toContain(
      "no relationship found between node 'n1' and this object",
    );
    expect((await as(`${core}/secrets`)).status).toBe(403);
    expect((await as('/api/v1/pods?fieldSelector=spec.nodeName%3Dn1')).status).toBe(200);
    expect((await as('/api/v1/pods')).status).toBe(403);
    expect((await as('/api/v1/services')).status).toBe(200);
  });

  it('write only themselves', async () => {
    const create = (name: string) =>
      api.request('POST', '/api/v1/nodes', { user: kubelet, body: { metadata: { name } } });
    const own = await create('n1');
    expect([own.status, own.json.spec]).toEqual([
      201,
      { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
    ]);
    expect((await create('n2')).json.message).toContain('node "n1" is not allowed to modify node "n2"');
    const patch = (target: string, body: object) =>
      api.request('PATCH', target, { user: kubelet, body, contentType: 'application/merge-patch+json' });
    const phase = { status: { phase: 'Running' } };
    expect((await patch(`${core}/pods/mine/status`, phase)).status).toBe(200);
    const lease = await api.request('POST', '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', {
      user: kubelet,
      body: { metadata: { name: 'n2' } },
    });
    expect(lease.status).toBe(403);
  });
});
