import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sampleOf } from '../../testing/sample-messages.ts';
import { decodeProtobuf } from './decode.ts';
import { encodeBody, encodeMessage, encodeObject, envelopeStart, listMetadata, watchFrame } from './encode.ts';
import { upstreamChecksums } from './generated/upstream-checksums.ts';
import { type Message, messageOf } from './messages.ts';

const message = (apiVersion: string, kind: string): Message => {
  const found = messageOf(apiVersion, kind);
  if (found === undefined) throw new Error(`No message ${kind}`);
  return found;
};
const hex = (apiVersion: string, kind: string, value: object): string =>
  encodeMessage(message(apiVersion, kind), value).toString('hex');
const text = (value: string): string => Buffer.from(value).toString('hex');

describe('encodeBody', () => {
  it.each(upstreamChecksums)('makes the bytes that upstream makes of a %s %s', (apiVersion, kind, checksum) => {
    const found = message(apiVersion, kind);
    const sample = sampleOf(found);
    // A WatchEvent is no object: it names no kind.
    const bytes =
      kind === 'WatchEvent' ? encodeBody(found, '', '', sample) : encodeObject({ apiVersion, kind, ...sample });
    expect(createHash('sha256').update(bytes).digest('hex').slice(0, 16)).toBe(checksum);
    expect(decodeProtobuf(bytes, { apiVersion, kind })).toEqual({ apiVersion, kind, ...sample });
  });
});

describe('encodeMessage', () => {
  it.each([
    ['a text that is always there', 'v1', 'LocalObjectReference', {}, '0a00'],
    ['a text beyond ASCII', 'v1', 'LocalObjectReference', { name: 'é€😀' }, `0a09${text('é€😀')}`],
    ['a long text', 'v1', 'LocalObjectReference', { name: 'é'.repeat(70) }, `0a8c01${text('é'.repeat(70))}`],
    ['pointers, absent and zero', 'v1', 'SELinuxOptions', {}, '0a0012001a002200'],
    [
      'a pointer to zero',
      'meta.k8s.io/v1',
      'DeleteOptions',
      { gracePeriodSeconds: 0, orphanDependents: false },
      '08001800',
    ],
    ['negative integers', 'meta.k8s.io/v1', 'DeleteOptions', { gracePeriodSeconds: -2 }, '08feffffffffffffffff01'],
    ['integers beyond 32 bits', 'meta.k8s.io/v1', 'DeleteOptions', { gracePeriodSeconds: 2 ** 40 }, '08808080808020'],
    ['null as absent', 'meta.k8s.io/v1', 'DeleteOptions', { gracePeriodSeconds: null, preconditions: null }, ''],
    ['lists in order', 'v1', 'ExecAction', { command: ['b', 'a', ''] }, '0a01620a01610a00'],
    [
      'maps in the order of their keys',
      'meta.k8s.io/v1',
      'LabelSelector',
      { matchLabels: { b: '1', a: '' } },
      '0a050a016112000a060a0162120131',
    ],
    ['quantities', 'v1', 'ResourceFieldSelector', { divisor: '1Mi' }, '0a0012001a050a03314d69'],
    ['a quantity that nobody gave', 'v1', 'ResourceFieldSelector', {}, '0a0012001a030a0130'],
    ['a number for a port', 'v1', 'TCPSocketAction', { port: 8080 }, '0a07080010903f1a001200'],
    ['a name for a port', 'v1', 'TCPSocketAction', { port: 'http' }, `0a0a080110001a04${text('http')}1200`],
    [
      'seconds of a time, no fraction',
      'v1',
      'ContainerStateRunning',
      { startedAt: '2009-02-13T23:31:30.5Z' },
      '0a0808d285d8cc041000',
    ],
    [
      'a time before 1970',
      'v1',
      'ContainerStateRunning',
      { startedAt: '1969-12-31T23:59:59Z' },
      '0a0d08ffffffffffffffffff011000',
    ],
    ['a time that nobody gave', 'v1', 'ContainerStateRunning', {}, '0a00'],
    [
      'microseconds',
      'coordination.k8s.io/v1',
      'LeaseSpec',
      { renewTime: '1970-01-01T00:00:01.000002Z' },
      '2205080110d00f',
    ],
  ] as const)('writes %s', (_name, apiVersion, kind, value, expected) => {
    expect(hex(apiVersion, kind, value)).toBe(expected);
  });

  it('writes bytes and doubles', () => {
    expect(hex('v1', 'Secret', { data: { k: 'AP8=' } })).toContain('12070a016b120200ff');
    expect(hex('apiextensions.k8s.io/v1', 'JSONSchemaProps', { maximum: 1.5 })).toContain('49000000000000f83f');
  });

  it('writes the unions of JSON schemas', () => {
    const schema = { type: 'object', properties: { a: { items: [{}], additionalItems: false }, b: { items: {} } } };
    const body = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      spec: {
        versions: [
          {
            name: 'v1',
            schema: {
              openAPIV3Schema: {
                ...schema,
                dependencies: { x: ['y'], z: {} },
                default: { q: [1, null] },
                enum: [1, 'two'],
              },
            },
          },
        ],
      },
    };
    expect(decodeProtobuf(encodeObject(body))).toMatchObject(body);
  });

  it('says which field of a damaged object it cannot write, and goes on with others', () => {
    expect(() => hex('v1', 'LocalObjectReference', { name: 7 })).toThrow('field name must be a string, not 7');
    expect(() => hex('v1', 'Pod', { spec: { containers: {} } })).toThrow('field containers must be a list, not {}');
    expect(() => hex('meta.k8s.io/v1', 'DeleteOptions', { gracePeriodSeconds: 1e300 })).toThrow(
      'an integer, not 1e+300',
    );
    expect(() => hex('v1', 'Pod', { metadata: { creationTimestamp: 'x' } })).toThrow('must be a time, not "x"');
    expect(hex('v1', 'LocalObjectReference', {})).toBe('0a00');
  });

  it('has no form for a Table', () => {
    expect(() => encodeObject({ apiVersion: 'meta.k8s.io/v1', kind: 'Table' })).toThrow(
      'object *v1.Table does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message',
    );
  });
});

describe('the parts of lists and watches', () => {
  it('join to what is written in one piece', () => {
    const metadata = { resourceVersion: '7' };
    const item = { metadata: { name: 'a' }, data: { k: 'v' } };
    const whole = encodeObject({ apiVersion: 'v1', kind: 'ConfigMapList', metadata, items: [item] });
    const one = encodeMessage(message('v1', 'ConfigMap'), item);
    const head = listMetadata(metadata);
    const length = head.length + 2 + one.length;
    const parts = [envelopeStart('v1', 'ConfigMapList', length), head, Buffer.of(0x12, one.length), one];
    expect(Buffer.concat([...parts, Buffer.from([0x1a, 0, 0x22, 0])]).equals(whole)).toBe(true);
  });

  it('frames an event', () => {
    expect(watchFrame('ADDED', [Buffer.from('ab'), Buffer.from('c')]).toString('hex')).toBe(
      `0000000e0a05${text('ADDED')}12050a03${text('abc')}`,
    );
  });
});
