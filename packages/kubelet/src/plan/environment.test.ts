import type { Container, Pod, Service } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { ContainerConfigError, containerEnvironment, type EnvironmentInputs } from './environment.ts';
import { expand } from './expand.ts';

describe('expand', () => {
  const variables: Readonly<Record<string, string>> = { A: '1', B: 'two', EMPTY: '' };
  it.each([
    ['$(A)', '1'],
    ['x$(A)y$(B)z', 'x1ytwoz'],
    ['$(NONE)', '$(NONE)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$A $', '$A $'],
    ['$(A', '$(A'],
    ['$(EMPTY)', ''],
    ['$($(A))', '$($(A))'],
  ])('%s becomes %s', (text, expected) => {
    expect(expand(text, (name) => variables[name])).toBe(expected);
  });
});

const pod: Pod = {
  metadata: { name: 'web', namespace: 'ns', uid: 'u', labels: { app: 'web' }, annotations: { note: 'a "b"' } },
  spec: { nodeName: 'n1', serviceAccountName: 'sa', containers: [] },
};
const service = (name: string, namespace: string, clusterIP: string): Service => ({
  metadata: { name, namespace },
  spec: { clusterIP, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
});
const inputs: EnvironmentInputs = {
  pod,
  podIp: '10.0.0.5',
  hostIp: '192.0.2.7',
  allocatable: { cpuMillis: 2000, memoryBytes: 1 << 30, ephemeralStorageBytes: 1 << 30 },
  configMap: (name) =>
    name === 'cfg' ? { metadata: { name, namespace: 'ns' }, data: { color: 'blue', size: 'L' } } : undefined,
  secret: (name) =>
    name === 'top'
      ? { metadata: { name, namespace: 'ns' }, data: { pass: Buffer.from('wört').toString('base64') } }
      : undefined,
  services: [
    service('my-db', 'ns', '10.96.0.9'),
    service('other', 'elsewhere', '10.96.0.8'),
    service('kubernetes', 'default', '10.96.0.1'),
  ],
};

const of = (container: Partial<Container>, more: Partial<EnvironmentInputs> = {}) =>
  Object.fromEntries(containerEnvironment({ name: 'c', ...container }, { ...inputs, ...more }));

describe('containerEnvironment', () => {
  it('takes from fields, resources, config maps and secrets', () => {
    const result = of({
      resources: { limits: { cpu: '1500m' }, requests: { memory: '64Mi' } },
      env: [
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        { name: 'LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'cfg', key: 'color' } } },
        { name: 'PASS', valueFrom: { secretKeyRef: { name: 'top', key: 'pass' } } },
        { name: 'NONE', valueFrom: { secretKeyRef: { name: 'gone', key: 'x', optional: true } } },
      ],
    });
    expect(result).toMatchObject({ IP: '10.0.0.5', NODE: 'n1', LABEL: 'web', COLOR: 'blue', PASS: 'wört' });
    expect(result).not.toHaveProperty('NONE');
  });

  it('rounds resources up to units of the divisor, and takes the node for a missing limit', () => {
    const spec: Pod = {
      ...pod,
      spec: { containers: [{ name: 'c', resources: { limits: { cpu: '1500m' }, requests: { memory: '65Mi' } } }] },
    };
    const ref = (resource: string, divisor?: string) => ({
      valueFrom: { resourceFieldRef: { resource, ...(divisor && { divisor }) } },
    });
    const env = [
      { name: 'CPU', ...ref('limits.cpu') },
      { name: 'MILLIS', ...ref('limits.cpu', '1m') },
      { name: 'MEMORY', ...ref('requests.memory', '10Mi') },
      { name: 'LIMIT', ...ref('limits.memory') },
    ];
    expect(of({ env }, { pod: spec })).toMatchObject({ CPU: '2', MILLIS: '1500', MEMORY: '7', LIMIT: String(1 << 30) });
  });

  it('lets later names win: services, then envFrom with prefix, then env', () => {
    const result = of({
      envFrom: [{ configMapRef: { name: 'cfg' } }, { prefix: 'P_', configMapRef: { name: 'cfg' } }],
      env: [
        { name: 'size', value: 'XL' },
        { name: 'both', value: '$(color)-$(size)-$(MY_DB_SERVICE_HOST)' },
        { name: 'MY_DB_SERVICE_PORT', value: '1' },
      ],
    });
    expect(result).toMatchObject({
      color: 'blue',
      size: 'XL',
      P_color: 'blue',
      both: 'blue-XL-10.96.0.9',
      MY_DB_SERVICE_PORT: '1',
    });
  });

  it('names the services of its own namespace, and kubernetes always', () => {
    const all = of({});
    expect(all).toMatchObject({
      MY_DB_SERVICE_HOST: '10.96.0.9',
      MY_DB_SERVICE_PORT_HTTP: '80',
      MY_DB_PORT: 'tcp://10.96.0.9:80',
      MY_DB_PORT_80_TCP_ADDR: '10.96.0.9',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
    });
    expect(all).not.toHaveProperty('OTHER_SERVICE_HOST');
    const without = of({}, { pod: { ...pod, spec: { containers: [], enableServiceLinks: false } } });
    expect(without).not.toHaveProperty('MY_DB_SERVICE_HOST');
    expect(without).toHaveProperty('KUBERNETES_SERVICE_HOST');
  });

  it.each([
    [
      { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'gone', key: 'k' } } }] },
      'configmap "gone" not found',
    ],
    [
      { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'cfg', key: 'k' } } }] },
      "couldn't find key k in ConfigMap ns/cfg",
    ],
    [{ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'gone', key: 'k' } } }] }, 'secret "gone" not found'],
    [{ envFrom: [{ secretRef: { name: 'gone' } }] }, 'secret "gone" not found'],
  ])('says what is missing (%#)', (container, message) => {
    expect(() => of(container)).toThrow(new ContainerConfigError(message));
  });
});
