import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const ID = 'abcdef';
const SECRET = '0123456789abcdef';
const TOKEN = `${ID}.${SECRET}`;
const later = '2999-01-01T00:00:00Z';
const good = {
  'token-id': ID,
  'token-secret': SECRET,
  'usage-bootstrap-authentication': 'true',
  expiration: later,
  'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
};

let api: TestServer;
beforeAll(async () => {
  api = await startTestServer();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

const secrets = '/api/v1/namespaces/kube-system/secrets';
const who = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

async function store(stringData: Readonly<Record<string, string>>, type = 'bootstrap.kubernetes.io/token') {
  const body = { metadata: { name: `bootstrap-token-${ID}` }, type, stringData };
  expect((await api.request('POST', secrets, { body })).status).toBe(201);
}

const remove = () => api.request('DELETE', `${secrets}/bootstrap-token-${ID}`);

const ask = (token: string) =>
  api.request('POST', who, { user: null, headers: { authorization: `Bearer ${token}` }, body: {} });

describe('a bootstrap token', () => {
  it('makes its holder a bootstrapper, until it is deleted', async () => {
    await store(good);
    const { status, json } = await ask(TOKEN);
    expect([status, json.status]).toEqual([
      201,
      {
        userInfo: {
          username: 'system:bootstrap:abcdef',
          groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
        },
      },
    ]);
    const review = await api.request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { spec: { token: TOKEN } },
    });
    expect(review.json.status).toMatchObject({
      authenticated: true,
      user: { username: 'system:bootstrap:abcdef' },
      audiences: ['https://kubernetes.default.svc.cluster.local'],
    });
    await remove();
    expect((await ask(TOKEN)).status).toBe(401);
  });

  const { 'usage-bootstrap-authentication': _, ...unmarked } = good;
  const { expiration: __, ...eternal } = good;
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
    ['that never expires', eternal, 201],
    ['without further groups', { ...good, 'auth-extra-groups': '' }, 201],
    ['that has expired', { ...good, expiration: '2020-01-01T00:00:00Z' }, 401],
    ['whose end cannot be read', { ...good, expiration: 'soon' }, 401],
    ['for signing only', { ...unmarked, 'usage-bootstrap-signing': 'true' }, 401],
    ['with another secret', { ...good, 'token-secret': 'fedcba9876543210' }, 401],
    ['with a longer secret', { ...good, 'token-secret': `${SECRET}0` }, 401],
    ['of another id', { ...good, 'token-id': 'abcdeg' }, 401],
    ['that would be an administrator', { ...good, 'auth-extra-groups': 'system:masters' }, 401],
  ];
  it.each(cases)('%s', async (_name, data, status) => {
    await store(data);
    expect((await ask(TOKEN)).status).toBe(status);
    await remove();
  });

  it('is one only by its type', async () => {
    await store(good, 'Opaque');
    expect((await ask(TOKEN)).status).toBe(401);
    await remove();
  });

  it('ends when its deletion begins', async () => {
    const body = {
      metadata: { name: `bootstrap-token-${ID}`, finalizers: ['example.com/hold'] },
      type: 'bootstrap.kubernetes.io/token',
      stringData: good,
    };
    await api.request('POST', secrets, { body });
    await remove();
    expect((await ask(TOKEN)).status).toBe(401);
  });
});

describe('cluster-info', () => {
  const path = '/api/v1/namespaces/kube-public/configmaps/cluster-info';
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-public';

  it('is the one object that may be read without credentials, where a Role says so', async () => {
    await api.request('POST', '/api/v1/namespaces/kube-public/configmaps', {
      body: { metadata: { name: 'cluster-info' }, data: { kubeconfig: 'text' } },
    });
    const refused = await api.request('GET', path, { user: null });
    expect([refused.status, refused.json.message]).toEqual([
      403,
      'configmaps "cluster-info" is forbidden: User "system:anonymous" cannot get resource "configmaps" in API group "" in the namespace "kube-public"',
    ]);
    const rules = [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'] }];
    const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'system:anonymous' }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'open' };
    await api.request('POST', `${rbac}/roles`, { body: { metadata: { name: 'open' }, rules } });
    await api.request('POST', `${rbac}/rolebindings`, { body: { metadata: { name: 'open' }, roleRef, subjects } });
    const { status, json } = await api.request('GET', path, { user: null });
    expect([status, json.data]).toEqual([200, { kubeconfig: 'text' }]);
    expect((await api.request('PUT', path, { user: null, body: {} })).status).toBe(403);
    const others = ['/api/v1/namespaces/kube-public/configmaps', `${path}/x`, `${path}-other`];
    for (const other of others) expect((await api.request('GET', other, { user: null })).status).toBe(401);
  });
});
