import { decodeObject, facts, groupVersion, resourceTable } from '@wherry/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryOf } from '../../testing/arbitrary-messages.ts';
import { decodeProtobuf } from './decode.ts';
import { encodeObject } from './encode.ts';
import { messageOfKind } from './messages.ts';

/** Every kind that a path can carry, the bodies of subresources among them; not the queries of exec and its likes. */
const kinds = new Map(
  resourceTable
    .flatMap((resource) => [resource, ...resource.subresources])
    .filter(({ kind }) => !/^(Node|Pod|Service)\w+Options$/.test(kind))
    .map(
      ({ group, version, kind }) => [`${groupVersion({ group, version })} ${kind}`, { group, version, kind }] as const,
    ),
);

describe('JSON → protobuf → JSON', () => {
  it.each([...kinds])('keeps every object of %s', (_name, { group, version, kind }) => {
    const message = messageOfKind(group, version, kind);
    if (message === undefined) throw new Error('has no message');
    const head = { apiVersion: groupVersion({ group, version }), kind };
    fc.assert(
      fc.property(arbitraryOf(message), (fields) => {
        const object = { ...head, ...fields };
        expect(decodeProtobuf(encodeObject(object))).toEqual(object);
      }),
      { numRuns: 25 },
    );
  });

  it.each([...kinds])('has the fields of %s that the API documents have', (_name, { group, version, kind }) => {
    const message = messageOfKind(group, version, kind);
    const node = facts.ofKind(group, version, kind);
    if (message === undefined || node === undefined) throw new Error('is unknown');
    fc.assert(
      fc.property(arbitraryOf(message), (fields) => {
        const { strictProblems, error } = decodeObject(node, structuredClone(fields), { fieldValidation: 'Strict' });
        expect([strictProblems, error]).toEqual([[], undefined]);
      }),
      { numRuns: 10 },
    );
  });
});

describe('decodeProtobuf', () => {
  it('has an answer for any bytes', () => {
    const body = encodeObject({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', labels: { a: 'b' }, creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: {
        containers: [{ name: 'c', resources: { limits: { cpu: '1' } }, livenessProbe: { tcpSocket: { port: 80 } } }],
      },
    });
    const damage = fc.tuple(fc.nat(body.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), fc.nat(body.length), (changes, length) => {
        const bytes = Buffer.from(body);
        for (const [at, value] of changes) bytes[at] = value;
        decodesOrRefuses(bytes);
        decodesOrRefuses(bytes.subarray(0, length));
      }),
      { numRuns: 3_000 },
    );
    const prefix = body.subarray(0, body.indexOf('Pod') + 3);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        decodesOrRefuses(Buffer.concat([prefix, Buffer.of(0x12, random.length), random]));
      }),
      { numRuns: 3_000 },
    );
  });

  it('does not follow nesting without end', () => {
    const schema = (depth: number): object => (depth === 0 ? {} : { not: schema(depth - 1) });
    const review = (depth: number): Buffer =>
      encodeObject({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'JSONSchemaProps', ...schema(depth) });
    expect(decodeProtobuf(review(200))).toMatchObject({ not: { not: {} } });
    expect(() => decodeProtobuf(review(300))).toThrow('nested deeper than 250 levels');
  });
});

function decodesOrRefuses(bytes: Buffer): void {
  try {
    decodeProtobuf(bytes);
  } catch (error) {
    expect((error as Error).name).toBe('ProtobufError');
  }
}
