import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestServer, type TestResponse, type TestServer } from '../testing/test-server.ts';

let api: TestServer;
let namespace = '';
let count = 0;
const core = '/api/v1';
const container = { name: 'c', image: 'i' };

beforeAll(async () => {
  api = await startTestServer();
});
afterAll(() => api[Symbol.asyncDispose]());

beforeEach(async () => {
  count += 1;
  namespace = `ns-${count}`;
  await makeNamespace({});
});

async function makeNamespace(labels: Record<string, string>): Promise<void> {
  const { status } = await api.request('POST', `${core}/namespaces`, {
    body: { metadata: { name: namespace, labels } },
  });
  expect(status).toBe(201);
  await post('serviceaccounts', { metadata: { name: 'default' } });
}

const path = (resource: string): string => `${core}/namespaces/${namespace}/${resource}`;
const post = (resource: string, body: object, options: object = {}): Promise<TestResponse> =>
  api.request('POST', path(resource), { body, ...options });
const pod = (spec: object = {}, metadata: object = { generateName: 'p-' }) => ({
  metadata,
  spec: { containers: [container], ...spec },
});
const label = (key: string): string => `pod-security.kubernetes.io/${key}`;

/** Writes are acknowledged before the watch cache, which plugins look into, has seen them. */
async function settled(): Promise<void> {
  await api.server.registry.store.fresh();
}

async function makeQuota(hard: Record<string, string>, used: Record<string, string>, name = 'q'): Promise<void> {
  await post('resourcequotas', { metadata: { name }, spec: { hard } });
  const body = { metadata: { name }, status: { hard, used } };
  expect((await api.request('PUT', `${path('resourcequotas')}/${name}/status`, { body })).status).toBe(200);
  await settled();
}

const usedOf = async (name = 'q'): Promise<unknown> =>
  ((await api.request('GET', `${path('resourcequotas')}/${name}`)).json.status as { used?: unknown }).used;

describe('ResourceQuota', () => {
  it('lets exactly as many pass as it allows, however many come at once', async () => {
    await makeQuota({ pods: '10', 'count/pods': '100' }, { pods: '0', 'count/pods': '0' });
    const answers = await Promise.all(Array.from({ length: 100 }, () => post('pods', pod())));
    const made = answers.filter(({ status }) => status === 201);
    const refused = answers.filter(({ status }) => status === 403);
    expect([made.length, refused.length]).toEqual([10, 90]);
    expect(refused[0]?.json.message).toMatch(
      /^pods "p-\w{5}" is forbidden: exceeded quota: q, requested: pods=1, used: pods=10, limited: pods=10$/,
    );
    expect(await usedOf()).toEqual({ pods: '10', 'count/pods': '10' });
  });

  it('holds when another server writes the same quota meanwhile', async () => {
    await makeQuota({ configmaps: '20' }, { configmaps: '0' });
    const meddle = async (): Promise<void> => {
      for (let round = 0; round < 5; round += 1) {
        await api.request('PATCH', `${path('resourcequotas')}/q`, {
          contentType: 'application/merge-patch+json',
          body: { metadata: { labels: { round: String(round) } } },
        });
      }
    };
    const [answers] = await Promise.all([
      Promise.all(Array.from({ length: 40 }, (_, index) => post('configmaps', { metadata: { name: `m-${index}` } }))),
      meddle(),
    ]);
    const made = answers.filter(({ status }) => status === 201).length;
    expect(await usedOf()).toEqual({ configmaps: '20' });
    expect(made).toBe(20);
  });

  it('reserves nothing for a dry run, and refuses one that does not fit', async () => {
    await makeQuota({ secrets: '1' }, { secrets: '0' });
    const dry = () => api.request('POST', `${path('secrets')}?dryRun=All`, { body: { metadata: { name: 's' } } });
    expect((await dry()).status).toBe(201);
    expect(await usedOf()).toEqual({ secrets: '0' });
    await post('secrets', { metadata: { name: 's' } });
    expect((await dry()).status).toBe(403);
  });

  it('asks for amounts that it limits', async () => {
    await makeQuota({ 'limits.cpu': '1' }, { 'limits.cpu': '0' });
    expect((await post('pods', pod())).json.message).toMatch(
      /is forbidden: failed quota: q: must specify limits\.cpu for: c$/,
    );
  });

  it('counts a Service anew when its type changes', async () => {
    await makeQuota({ 'services.nodeports': '1' }, { 'services.nodeports': '0' });
    const service = (type: string, ports: readonly number[]) => ({
      metadata: { name: 's' },
      spec: { type, ports: ports.map((port) => ({ name: `p${port}`, port })) },
    });
    expect((await post('services', service('ClusterIP', [80, 81]))).status).toBe(201);
    const put = (body: object) => api.request('PUT', `${path('services')}/s`, { body });
    expect((await put(service('NodePort', [80, 81]))).json.message).toContain('requested: services.nodeports=2');
    expect((await put(service('NodePort', [80]))).status).toBe(200);
    expect(await usedOf()).toEqual({ 'services.nodeports': '1' });
  });
});

describe('PodSecurity', () => {
  const restrict = async (labels: Record<string, string>): Promise<TestResponse> => {
    const body = { metadata: { labels } };
    const answer = await api.request('PATCH', `${core}/namespaces/${namespace}`, {
      contentType: 'application/merge-patch+json',
      body,
    });
    await settled();
    return answer;
  };

  it('refuses pods of an enforced level', async () => {
    await restrict({ [label('enforce')]: 'baseline', [label('enforce-version')]: 'v1.30' });
    const { status, json } = await post('pods', pod({ hostPID: true }, { name: 'p' }));
    expect([status, json.reason]).toEqual([403, 'Forbidden']);
    expect(json.message).toBe(
      'pods "p" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostPID=true)',
    );
    expect((await post('pods', pod({}, { name: 'p' }))).status).toBe(201);
  });

  it('warns of pods, and of what makes them', async () => {
    await restrict({ [label('warn')]: 'baseline', [label('enforce')]: 'baseline' });
    const template = pod({ hostNetwork: true }, { labels: { a: 'b' } });
    const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } };
    const { status, headers } = await api.request('POST', `/apis/apps/v1/namespaces/${namespace}/deployments`, {
      body: deployment,
    });
    expect(status).toBe(201);
    expect(headers['warning']).toEqual([
      '299 - "would violate PodSecurity \\"baseline:latest\\": host namespaces (hostNetwork=true)"',
    ]);
  });

  it('tells who makes a namespace stricter which pods it would refuse', async () => {
    for (const name of ['a', 'b', 'c']) {
      await post('pods', pod({ hostPID: true }, { name }));
    }
    await settled();
    const { headers } = await restrict({ [label('enforce')]: 'baseline' });
    expect(headers['warning']).toEqual([
      `299 - "existing pods in namespace \\"${namespace}\\" violate the new PodSecurity enforce level \\"baseline:latest\\""`,
      '299 - "a (and 2 other pods): host namespaces"',
    ]);
  });

  it('takes no labels that it cannot read', async () => {
    const { status, json } = await restrict({ [label('enforce')]: 'strict', [label('warn-version')]: '1.30' });
    expect(status).toBe(422);
    expect(json.message).toContain('Invalid value: "strict": must be one of privileged, baseline, restricted');
    expect(json.message).toContain('must be "latest" or "v1.x"');
  });
});

describe('pods', () => {
  it('get the amounts of the LimitRange, or are refused', async () => {
    const limits = [
      { type: 'Container', max: { cpu: '1' }, defaultRequest: { cpu: '100m' }, default: { cpu: '200m' } },
    ];
    await post('limitranges', { metadata: { name: 'l' }, spec: { limits } });
    await settled();
    const made = await post('pods', pod());
    expect(made.json.spec?.['containers']).toMatchObject([
      { resources: { limits: { cpu: '200m' }, requests: { cpu: '100m' } } },
    ]);
    const greedy = pod({ containers: [{ ...container, resources: { limits: { cpu: '2' } } }] });
    expect((await post('pods', greedy)).json.message).toContain('maximum cpu usage per Container is 1, but limit is 2');
  });

  it('get overhead, selector and tolerations of their runtime class', async () => {
    await api.request('POST', '/apis/node.k8s.io/v1/runtimeclasses', {
      body: {
        metadata: { name: 'vm' },
        handler: 'vm',
        overhead: { podFixed: { memory: '64Mi' } },
        scheduling: { nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] },
      },
    });
    const made = await post('pods', pod({ runtimeClassName: 'vm' }));
    expect(made.json.spec).toMatchObject({ overhead: { memory: '64Mi' }, nodeSelector: { vm: 'yes' } });
    const refusals = [
      [{ runtimeClassName: 'no' }, 'pod rejected: RuntimeClass "no" not found'],
      [
        { overhead: { cpu: '1' } },
        'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
      ],
      [
        { runtimeClassName: 'vm', overhead: { cpu: '1' } },
        "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
      ],
      [
        { runtimeClassName: 'vm', nodeSelector: { vm: 'no' } },
        'conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no',
      ],
    ] as const;
    for (const [spec, text] of refusals) {
      expect((await post('pods', pod(spec))).json.message).toContain(text);
    }
  });

  it('have the priority and preemption policy of their class', async () => {
    const classes = '/apis/scheduling.k8s.io/v1/priorityclasses';
    const quiet = { metadata: { name: 'quiet' }, value: 7, preemptionPolicy: 'Never' };
    await api.request('POST', classes, { body: quiet });
    const made = await post('pods', pod({ priorityClassName: 'quiet' }));
    expect(made.json.spec).toMatchObject({ priority: 7, preemptionPolicy: 'Never' });
    const refusals = [
      [{ priorityClassName: 'none' }, 'no PriorityClass with name none was found'],
      [
        { priorityClassName: 'quiet', priority: 8 },
        'the integer value of priority (8) must not be provided in pod spec',
      ],
      [
        { priorityClassName: 'quiet', preemptionPolicy: 'PreemptLowerPriority' },
        'the string value of PreemptionPolicy (PreemptLowerPriority) must not be provided',
      ],
    ] as const;
    for (const [spec, text] of refusals) {
      expect((await post('pods', pod(spec))).json.message).toContain(text);
    }
    const first = await api.request('POST', classes, {
      body: { metadata: { name: 'usual' }, value: 3, globalDefault: true },
    });
    expect(first.status).toBe(201);
    await settled();
    expect((await post('pods', pod())).json.spec).toMatchObject({ priority: 3, priorityClassName: 'usual' });
    const second = await api.request('POST', classes, {
      body: { metadata: { name: 'more' }, value: 4, globalDefault: true },
    });
    expect(second.json.message).toContain(
      'PriorityClass usual is already marked as default. Only one default can exist',
    );
    await api.request('DELETE', `${classes}/usual`);
  });

  it('learn from their binding where their node is', async () => {
    const labels = { 'topology.kubernetes.io/zone': 'z1', other: 'x' };
    await api.request('POST', `${core}/nodes`, { body: { metadata: { name: 'zoned', labels } } });
    await settled();
    await post('pods', pod({}, { name: 'p', labels: { own: 'y' } }));
    const body = { metadata: { name: 'p' }, target: { kind: 'Node', name: 'zoned' } };
    expect((await post('pods/p/binding', body)).status).toBe(201);
    const bound = await api.request('GET', `${path('pods')}/p`);
    expect(bound.json.metadata?.labels).toEqual({ own: 'y', 'topology.kubernetes.io/zone': 'z1' });
  });

  it('use only secrets that their account lists, where it says so', async () => {
    const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' };
    await post('serviceaccounts', { metadata: { name: 'strict', annotations }, secrets: [{ name: 'ok' }] });
    const using = (secretName: string) =>
      post('pods', pod({ serviceAccountName: 'strict', volumes: [{ name: 'v', secret: { secretName } }] }));
    expect((await using('ok')).status).toBe(201);
    expect((await using('other')).json.message).toContain(
      'volume with secret.secretName="other" is not allowed because service account strict does not reference that secret',
    );
  });

  it('come into no namespace that is missing, whatever else is wrong with them', async () => {
    const { status, json } = await api.request('POST', `${core}/namespaces/nowhere/pods`, {
      body: pod({ containers: [] }),
    });
    expect([status, json.message]).toEqual([404, 'namespaces "nowhere" not found']);
  });
});

describe('storage and ingresses', () => {
  const claim = (spec: object = {}) => ({
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });
  const defaultOf = (group: string) => ({ [`${group}.kubernetes.io/is-default-class`]: 'true' });

  it('claims get the default class and protection, and grow only if it lets them', async () => {
    const classes = '/apis/storage.k8s.io/v1/storageclasses';
    const annotations = defaultOf('storageclass');
    await api.request('POST', classes, { body: { metadata: { name: 'fixed', annotations }, provisioner: 'x.y/z' } });
    await settled();
    const made = await post('persistentvolumeclaims', claim());
    expect(made.json.spec).toMatchObject({ storageClassName: 'fixed' });
    expect(made.json.metadata?.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    const one = `${path('persistentvolumeclaims')}/data`;
    const grow = () =>
      api.request('PATCH', one, {
        contentType: 'application/merge-patch+json',
        body: { spec: { resources: { requests: { storage: '2Gi' } } } },
      });
    expect((await grow()).status).toBeGreaterThanOrEqual(400);
    await api.request('PATCH', `${one}/status`, {
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Bound', capacity: { storage: '1Gi' } } },
    });
    expect((await grow()).json.message).toContain(
      'only dynamically provisioned pvc can be resized and the storageclass',
    );
    await api.request('PATCH', `${classes}/fixed`, {
      contentType: 'application/merge-patch+json',
      body: { allowVolumeExpansion: true },
    });
    await settled();
    expect((await grow()).status).toBe(200);
    await api.request('DELETE', `${classes}/fixed`);
    await settled();
    const bare = await post('persistentvolumeclaims', { ...claim(), metadata: { name: 'bare' } });
    expect(bare.json.spec?.['storageClassName']).toBeUndefined();
  });

  it('ingresses get the default class unless they name one', async () => {
    const base = '/apis/networking.k8s.io/v1';
    await api.request('POST', `${base}/ingressclasses`, {
      body: { metadata: { name: 'main', annotations: defaultOf('ingressclass') }, spec: { controller: 'x.y/z' } },
    });
    await settled();
    const ingress = (name: string, annotations: object = {}) =>
      api.request('POST', `${base}/namespaces/${namespace}/ingresses`, {
        body: {
          metadata: { name, annotations },
          spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } },
        },
      });
    expect((await ingress('a')).json.spec).toMatchObject({ ingressClassName: 'main' });
    const named = await ingress('b', { 'kubernetes.io/ingress.class': 'other' });
    expect(named.json.spec?.['ingressClassName']).toBeUndefined();
  });
});
