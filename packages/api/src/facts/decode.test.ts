import { describe, expect, it } from 'vitest';
import { decodeObject, type FieldValidation, strictDecodingText } from './decode.ts';
import { duplicateFieldProblems } from './duplicate-fields.ts';
import { facts } from './table.ts';
import { canonicalTime } from './time.ts';

function decode(group: string, kind: string, value: unknown, fieldValidation: FieldValidation = 'Strict') {
  const node = facts.ofKind(group, 'v1', kind);
  if (node === undefined) throw new Error(`no facts for ${kind}`);
  return decodeObject(node, JSON.parse(JSON.stringify(value)), { fieldValidation });
}

describe('facts', () => {
  it('knows list keys, merge keys and strategies', () => {
    const containers = facts.definition('io.k8s.api.core.v1.PodSpec');
    if (containers?.node.type !== 'object') throw new Error('PodSpec is no object');
    expect(containers.node.fields.get('containers')).toMatchObject({
      required: true,
      listType: 'map',
      listMapKeys: ['name'],
      patchMergeKey: 'name',
      patchStrategy: ['merge'],
    });
    expect(containers.node.fields.get('volumes')?.patchStrategy).toEqual(['merge', 'retainKeys']);
    expect(containers.node.fields.get('nodeSelector')?.mapType).toBe('atomic');
  });

  it('knows kinds by group and version, and those that exist everywhere', () => {
    expect(facts.ofKind('apps', 'v1', 'Deployment')?.definition).toBe('io.k8s.api.apps.v1.Deployment');
    expect(facts.ofKind('apps', 'v1', 'DeleteOptions')?.definition).toMatch(/meta\.v1\.DeleteOptions$/);
    expect(facts.ofKind('apps', 'v1', 'Pod')).toBeUndefined();
    expect(facts.ofKind('apps', 'v9', 'Deployment')).toBeUndefined();
  });

  it('resolves every definition', () => {
    for (const name of facts.definitionNames()) {
      const node = facts.definition(name)?.node;
      expect(node).toBeDefined();
      if (node?.type === 'object') expect(node.fields.size).toBeGreaterThanOrEqual(0);
    }
  });

  it('follows definitions that contain themselves', () => {
    const schema = facts.definition('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')?.node;
    if (schema?.type !== 'object') throw new Error('JSONSchemaProps is no object');
    expect(schema.fields.get('not')?.node).toBe(schema);
  });
});

describe('decodeObject', () => {
  const spec = { selector: { matchLabels: { a: 'b' } }, template: {} };

  it.each([
    [
      { replicas: 'x' },
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { replicas: 1.5 },
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { replicas: 3_000_000_000 },
      'json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [{ paused: 'yes' }, 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.paused of type bool'],
    [
      { template: [] },
      'json: cannot unmarshal array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec',
    ],
    [
      { template: { spec: { containers: {} } } },
      'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      { template: { spec: { containers: [{ env: [{ name: 'A', value: 1 }] }] } } },
      'json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string',
    ],
    [
      { template: { metadata: { labels: { a: true } } } },
      'json: cannot unmarshal bool into Go struct field ObjectMeta.spec.template.metadata.labels of type string',
    ],
    [
      { template: { spec: { containers: [{ resources: { limits: { cpu: 'a lot' } } }] } } },
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [{ strategy: { rollingUpdate: { maxSurge: true } } }, 'json: cannot unmarshal bool into Go value of type int32'],
  ])('refuses %j', (given, error) => {
    expect(decode('apps', 'Deployment', { spec: { ...spec, ...given } }).error).toBe(error);
  });

  it('refuses a body that is no object', () => {
    expect(decode('', 'Pod', []).error).toBe('json: cannot unmarshal array into Go value of type v1.Pod');
  });

  it('drops unknown fields and names them with list positions', () => {
    const pod = {
      metadata: { name: 'a', labels: { x: '1' } },
      spec: { foo: 1, containers: [{ name: 'c', image: 'i', bar: {} }] },
    };
    const { object, strictProblems, error } = decode('', 'Pod', pod);
    expect(error).toBeUndefined();
    expect(object).toMatchObject({ spec: { containers: [{ name: 'c', image: 'i', resources: {} }] } });
    expect(object).not.toHaveProperty('spec.foo');
    expect(object).not.toHaveProperty('spec.containers.0.bar');
    expect(strictDecodingText(strictProblems)).toBe(
      'strict decoding error: unknown field "spec.foo", unknown field "spec.containers[0].bar"',
    );
    expect(decode('', 'Pod', pod, 'Ignore').strictProblems).toEqual([]);
  });

  it('is case-sensitive', () => {
    expect(decode('', 'Pod', { Spec: {} }).strictProblems).toEqual(['unknown field "Spec"']);
  });

  it('takes null for absent, and for the empty value inside lists and maps', () => {
    const { object } = decode('', 'Pod', {
      metadata: { name: 'a', labels: { x: null }, creationTimestamp: null },
      spec: { nodeName: null, containers: [null], overhead: { cpu: null } },
    });
    expect(object).toEqual({
      metadata: { name: 'a', labels: { x: '' } },
      spec: { containers: [{ name: '', resources: {} }], overhead: { cpu: '0' } },
      status: {},
    });
  });

  it('makes quantities and times canonical and drops empty optional lists and maps', () => {
    const { object } = decode('', 'Pod', {
      metadata: { annotations: {}, creationTimestamp: '2024-05-01T12:00:00.5+02:00' },
      spec: {
        volumes: [],
        containers: [{ name: 'c', args: [], resources: { limits: { cpu: 0.5, memory: '1024Mi' } } }],
      },
    });
    expect(object).toEqual({
      metadata: { creationTimestamp: '2024-05-01T10:00:00Z' },
      spec: { containers: [{ name: 'c', resources: { limits: { cpu: '500m', memory: '1Gi' } } }] },
      status: {},
    });
  });

  it('keeps what any value may hold as it is', () => {
    const data = { a: null, b: [], c: { d: {} } };
    expect(decode('apps', 'ControllerRevision', { data, revision: 1 }).object).toMatchObject({ data });
  });

  it('refuses bad base64 and bad times with the texts of Go', () => {
    expect(decode('', 'Secret', { data: { a: 'a-b=' } }).error).toBe('illegal base64 data at input byte 1');
    expect(decode('', 'Pod', { metadata: { creationTimestamp: 'noon' } }).error).toBe(
      'parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"',
    );
  });
});

describe('canonicalTime', () => {
  it.each([
    ['2024-01-02T03:04:05Z', 'time', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05.999Z', 'time', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05.1234567+01:00', 'microTime', '2024-01-02T02:04:05.123456Z'],
    ['2024-01-02T03:04:05Z', 'microTime', '2024-01-02T03:04:05.000000Z'],
  ] as const)('%s as %s is %s', (text, type, canonical) => {
    expect(canonicalTime(text, type)).toBe(canonical);
  });

  it('names the part that is out of range', () => {
    expect(() => canonicalTime('2024-13-02T03:04:05Z', 'time')).toThrow(
      'parsing time "2024-13-02T03:04:05Z": month out of range',
    );
    expect(() => canonicalTime('2023-02-29T00:00:00Z', 'time')).toThrow('day out of range');
    expect(() => canonicalTime('2023-02-28T24:00:00Z', 'time')).toThrow('hour out of range');
    expect(() => canonicalTime('2024-01-02T03:04:05Zjunk', 'time')).toThrow('extra text: "junk"');
  });
});

describe('duplicateFieldProblems', () => {
  it('finds repeated keys at any depth, each once', () => {
    const text = '{"a":1,"b":{"c":1,"c":2,"c":3},"l":[{"x":1},{"x":1,"x":"{\\"q\\":1,\\"q\\":2}"}],"a":{"a":1}}';
    expect(duplicateFieldProblems(text)).toEqual([
      'duplicate field "b.c"',
      'duplicate field "l[1].x"',
      'duplicate field "a"',
    ]);
  });

  it('finds none in ordinary text', () => {
    expect(duplicateFieldProblems(JSON.stringify({ a: [1, 2, { b: 'a' }], b: { a: 1 } }))).toEqual([]);
  });
});
