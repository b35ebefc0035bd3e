import { expect, test } from 'vitest';
import { startTestServer } from '../testing/test-server.ts';
import { bootstrap } from './bootstrap.ts';

const target = '/api/v1/namespaces/default/services/kubernetes';
const setUp = {
  serviceRange: '10.96.0.0/12',
  securePort: 6443,
  clientAuthority: 'PEM',
  authorizationModes: ['Node', 'RBAC'],
};

test('started on another port, the server mends the Service, and keeps what others said of it', async () => {
  await using api = await startTestServer();
  await api.request('PATCH', target, {
    body: { metadata: { annotations: { note: 'kept' } } },
    contentType: 'application/merge-patch+json',
  });
  await bootstrap(api.server, { ...setUp, securePort: 7443 });
  const { json } = await api.request('GET', target);
  expect(json.spec).toMatchObject({
    clusterIP: '10.96.0.1',
    ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: 7443 }],
  });
  expect(json.metadata?.annotations).toEqual({ note: 'kept' });
});

test('started again as it was, the server writes nothing', async () => {
  await using api = await startTestServer();
  const before = await api.storage.currentRevision();
  await bootstrap(api.server, setUp);
  expect(await api.storage.currentRevision()).toBe(before);
});
