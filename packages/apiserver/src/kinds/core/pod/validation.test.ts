import type { Container, Pod, PodSpec, Volume } from '@wherry/api';
import { describe, expect, it, test } from 'vitest';
import { created, createRefusals, updateRefusals } from '../../validation-cases.ts';
import { podStrategy } from './strategy.ts';

const container: Container = { name: 'app', image: 'registry.example/app:1' };

function pod(spec: Partial<PodSpec> = {}, metadata: Pod['metadata'] = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace: 'default', ...metadata },
    spec: { containers: [container], serviceAccountName: 'default', ...spec },
  };
}

function withContainer(change: Partial<Container>, spec: Partial<PodSpec> = {}): Pod {
  return pod({ ...spec, containers: [{ ...container, ...change }] });
}

function withVolume(change: Partial<Volume>): Pod {
  return pod({ volumes: [{ name: 'data', ...change }] });
}

const full = pod({
  volumes: [
    { name: 'config', configMap: { name: 'settings', items: [{ key: 'a', path: 'a/b' }] } },
    { name: 'secret', secret: { secretName: 's' } },
    { name: 'scratch', emptyDir: { sizeLimit: '1Gi' } },
    { name: 'host', hostPath: { path: '/var/log', type: 'DirectoryOrCreate' } },
    { name: 'claim', persistentVolumeClaim: { claimName: 'c' } },
    {
      name: 'token',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
        ],
      },
    },
  ],
  initContainers: [
    { name: 'init', image: 'i' },
    { name: 'side', image: 's', restartPolicy: 'Always', readinessProbe: { exec: { command: ['true'] } } },
  ],
  containers: [
    {
      ...container,
      ports: [{ name: 'http', containerPort: 8080 }],
      env: [
        { name: 'A', value: 'b' },
        { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        { name: 'KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      ],
      envFrom: [{ configMapRef: { name: 'settings' }, prefix: 'X_' }],
      resources: {
        requests: { cpu: '100m', memory: '64Mi' },
        limits: { cpu: '1', memory: '128Mi', 'example.com/gpu': '1' },
      },
      volumeMounts: [
        { name: 'config', mountPath: '/etc/app', readOnly: true },
        { name: 'scratch', mountPath: '/tmp', subPath: 'a' },
      ],
      livenessProbe: { httpGet: { path: '/healthz', port: 'http' } },
      startupProbe: { tcpSocket: { port: 8080 } },
      lifecycle: { preStop: { sleep: { seconds: 5 } } },
      securityContext: { runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    },
  ],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
      },
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 10,
          podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { a: 'b' } } },
        },
      ],
    },
  },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { a: 'b' } } },
  ],
  tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }],
  hostAliases: [{ ip: '10.0.0.1', hostnames: ['db.local'] }],
  dnsConfig: { nameservers: ['10.96.0.10'], searches: ['svc.cluster.local'], options: [{ name: 'ndots', value: '5' }] },
});

describe('creating a pod', () => {
  it('accepts a small one and one that uses most fields', () => {
    expect(createRefusals(podStrategy, pod())).toEqual([]);
    expect(createRefusals(podStrategy, full)).toEqual([]);
  });

  const cases: readonly (readonly [string, Pod, readonly string[]])[] = [
    ['no containers', pod({ containers: [] }), ['spec.containers: Required value']],
    [
      'a bad container name',
      withContainer({ name: 'App_1' }),
      [
        `spec.containers[0].name: Invalid value: "App_1": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`,
      ],
    ],
    ['no image', withContainer({ image: '' }), ['spec.containers[0].image: Required value']],
    [
      'an image with blanks',
      withContainer({ image: ' a' }),
      ['spec.containers[0].image: Invalid value: " a": must not have leading or trailing whitespace'],
    ],
    [
      'two containers of one name',
      pod({ containers: [container, container] }),
      ['spec.containers[1].name: Duplicate value: "app"'],
    ],
    [
      'a bad pull policy',
      withContainer({ imagePullPolicy: 'Sometimes' }),
      [
        'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
      ],
    ],
    [
      'a port out of range',
      withContainer({ ports: [{ containerPort: 70_000 }] }),
      ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      'a bad port name',
      withContainer({ ports: [{ name: 'no--no', containerPort: 1 }] }),
      ['spec.containers[0].ports[0].name: Invalid value: "no--no": must not contain consecutive hyphens'],
    ],
    [
      'a host port twice',
      withContainer({
        ports: [
          { containerPort: 1, hostPort: 80 },
          { containerPort: 2, hostPort: 80 },
        ],
      }),
      ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"'],
    ],
    [
      'an environment variable without name or with an equals sign',
      withContainer({ env: [{ name: '' }, { name: 'a=b' }] }),
      [
        'spec.containers[0].env[0].name: Required value',
        `spec.containers[0].env[1].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
      ],
    ],
    [
      'a variable with value and source',
      withContainer({ env: [{ name: 'A', value: 'b', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
      ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
    ],
    [
      'an unknown field',
      withContainer({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.whatever' } } }] }),
      [
        'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.whatever": error converting fieldPath: field label not supported: metadata.whatever',
      ],
    ],
    [
      'a request above its limit',
      withContainer({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
      ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ],
    [
      'a negative and an unknown resource',
      withContainer({ resources: { limits: { memory: '-1', disk: '1' } } }),
      [
        'spec.containers[0].resources.limits[memory]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.containers[0].resources.limits[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.limits[disk]: Invalid value: "disk": must be a standard resource for containers',
        'spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0',
        'spec.containers[0].resources.requests[disk]: Invalid value: "disk": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.requests[disk]: Invalid value: "disk": must be a standard resource for containers',
      ],
    ],
    [
      'a mount of an unknown volume',
      withContainer({ volumeMounts: [{ name: 'nope', mountPath: '/a' }] }),
      ['spec.containers[0].volumeMounts[0].name: Not found: "nope"'],
    ],
    [
      'a probe without and one with two handlers',
      withContainer({ readinessProbe: {}, livenessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } }),
      [
        'spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
        'spec.containers[0].readinessProbe: Required value: must specify a handler type',
      ],
    ],
    [
      'a liveness probe that wants two successes',
      withContainer({ livenessProbe: { exec: { command: ['a'] }, successThreshold: 2 } }),
      ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
    ],
    [
      'a hook that sleeps too long',
      withContainer({ lifecycle: { preStop: { sleep: { seconds: 60 } } } }),
      [
        'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than terminationGracePeriodSeconds (30)',
      ],
    ],
    [
      'a probe on a plain init container',
      pod({ initContainers: [{ name: 'init', image: 'i', livenessProbe: { exec: { command: ['a'] } } }] }),
      [
        'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'a bad restart policy',
      pod({ restartPolicy: 'Sometimes' }),
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    ['a volume of no kind', withVolume({ projected: undefined as never }), []],
    [
      'a volume of two kinds',
      withVolume({ emptyDir: {}, hostPath: { path: '/a' } }),
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'a secret volume without a name and with a bad mode',
      withVolume({ secret: { defaultMode: 512 } }),
      [
        'spec.volumes[0].secret.secretName: Required value',
        'spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
      ],
    ],
    [
      'a host path that climbs',
      withVolume({ hostPath: { path: '/a/../b' } }),
      [`spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'`],
    ],
    [
      'two files of one name in a projected volume',
      withVolume({
        projected: {
          sources: [
            { configMap: { name: 'a', items: [{ key: 'k', path: 'p' }] } },
            { secret: { name: 'b', items: [{ key: 'k', path: 'p' }] } },
          ],
        },
      }),
      ['spec.volumes[0].projected: Invalid value: "b": conflicting duplicate paths'],
    ],
    [
      'a bad toleration',
      pod({ tolerations: [{ operator: 'Equal', value: 'v', tolerationSeconds: 1 }] }),
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        `spec.tolerations[0].effect: Invalid value: "": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
      ],
    ],
    [
      'affinity weights and topology keys',
      pod({
        affinity: {
          podAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 101, podAffinityTerm: { topologyKey: 'a' } }],
          },
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
        },
      }),
      [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
        'spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
      ],
    ],
    [
      'a spread constraint twice and a bad skew',
      pod({
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway' },
          { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway' },
        ],
      }),
      [
        'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, ScheduleAnyway}"',
      ],
    ],
    [
      'DNS policy None without servers',
      pod({ dnsPolicy: 'None' }),
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'a bad host alias',
      pod({ hostAliases: [{ ip: '300.1.1.1' }] }),
      [
        'spec.hostAliases[0].ip: Invalid value: "300.1.1.1": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    [
      'a contradiction of privileges',
      withContainer({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
      [
        'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ],
    ],
    [
      'a deadline of zero',
      pod({ activeDeadlineSeconds: 0 }),
      ['spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive'],
    ],
    [
      'ephemeral containers from the start',
      pod({ ephemeralContainers: [{ name: 'debug', image: 'd' }] }),
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
    [
      'a node for a pod with gates',
      pod({ nodeName: 'n', schedulingGates: [{ name: 'example.com/g' }] }),
      ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
    ],
    [
      'a mirror annotation without a node',
      pod({}, { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
      [
        'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
      ],
    ],
  ];
  test.each(cases.filter(([, , expected]) => expected.length > 0))('refuses %s', (_name, object, expected) => {
    expect(createRefusals(podStrategy, object)).toEqual(expected);
  });

  it('refuses a volume without a source, whose default is none', () => {
    const ready = created(podStrategy, pod());
    const bare = { ...ready, spec: { containers: [], ...ready.spec, volumes: [{ name: 'data' }] } };
    const texts = updateRefusals(podStrategy, ready, bare);
    expect(texts.some((text) => text.startsWith('spec: Forbidden: pod updates may not change fields'))).toBe(true);
  });
});

it('validates a pod of usual size in a small part of a millisecond', () => {
  const ready = created(podStrategy, full);
  const context = { nowMs: 0, now: '', uuid: '', user: { name: '', uid: '', groups: [], extra: {} } };
  for (let i = 0; i < 2000; i++) podStrategy.validate(ready, context);
  const started = process.hrtime.bigint();
  const rounds = 2000;
  for (let i = 0; i < rounds; i++) podStrategy.validate(ready, context);
  const microseconds = Number(process.hrtime.bigint() - started) / 1000 / rounds;
  // The goal is 50 µs on an idle machine; the bound leaves room for a busy one.
  expect(microseconds).toBeLessThan(500);
});
