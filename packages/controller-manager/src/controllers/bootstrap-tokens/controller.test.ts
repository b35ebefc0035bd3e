import { resources, type Secret } from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import { detachedSignature } from '@wherry/pki';
import { afterEach, expect, it } from 'vitest';
import { World } from '../../testing/world.ts';
import { TOKEN_TYPE } from './plan.ts';

let world: World;
afterEach(() => world.close());

const encode = (text: string): string => Buffer.from(text).toString('base64');
const token = (id: string, expiration?: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
  type: TOKEN_TYPE,
  data: {
    'token-id': encode(id),
    'token-secret': encode('0123456789abcdef'),
    'usage-bootstrap-signing': encode('true'),
    ...(expiration === undefined ? {} : { expiration: encode(expiration) }),
  },
});

const info = (kubeconfig: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'cluster-info', namespace: 'kube-public' },
  data: { kubeconfig },
});
const stored = () => world.api.list(resources.configmaps)[0]?.data;
const signed = (content: string, id: string) => detachedSignature(content, id, '0123456789abcdef');

it('signs cluster-info with every token, anew when it changes, and takes back what expired tokens signed', async () => {
  world = new World('bootstrapsigner', 'tokencleaner');
  await world.client.create(resources.configmaps, info('one'));
  await world.client.create(resources.secrets, token('aaaaaa'));
  await world.client.create(resources.secrets, token('bbbbbb', rfc3339(world.clock.now() + 60_000)));
  await world.run(1_000);
  expect(stored()).toEqual({
    kubeconfig: 'one',
    'jws-kubeconfig-aaaaaa': signed('one', 'aaaaaa'),
    'jws-kubeconfig-bbbbbb': signed('one', 'bbbbbb'),
  });
  await world.client.patch(
    resources.configmaps,
    'cluster-info',
    { data: { kubeconfig: 'two' } },
    { namespace: 'kube-public' },
  );
  await world.run(1_000);
  expect(stored()?.['jws-kubeconfig-aaaaaa']).toBe(signed('two', 'aaaaaa'));
  await world.run(60_000, 5_000);
  expect(stored()).toEqual({ kubeconfig: 'two', 'jws-kubeconfig-aaaaaa': signed('two', 'aaaaaa') });
  expect(world.api.list(resources.secrets).map(({ metadata }) => metadata?.name)).toEqual(['bootstrap-token-aaaaaa']);
});

it('takes back what an expired token signed, also where nobody cleans tokens', async () => {
  world = new World('bootstrapsigner');
  await world.client.create(resources.configmaps, info('one'));
  await world.client.create(resources.secrets, token('bbbbbb', rfc3339(world.clock.now() + 10_000)));
  await world.run(1_000);
  expect(Object.keys(stored() ?? {})).toEqual(['kubeconfig', 'jws-kubeconfig-bbbbbb']);
  await world.run(11_000, 500);
  expect(stored()).toEqual({ kubeconfig: 'one' });
});
