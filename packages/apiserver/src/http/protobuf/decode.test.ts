import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from './decode.ts';

const text = (field: number, value: string | Buffer): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([field * 8 + 2, bytes.length]), bytes]);
};
const body = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  Buffer.concat([Buffer.from('k8s\0'), text(1, Buffer.concat([text(1, apiVersion), text(2, kind)])), text(2, raw)]);

describe('decodeProtobuf', () => {
  it('reads names, maps and fields it does not know', () => {
    const metadata = Buffer.concat([
      text(1, 'x'),
      text(11, Buffer.concat([text(1, 'app'), text(2, 'web')])),
      text(15, 'new'),
    ]);
    const data = text(2, Buffer.concat([text(1, 'a'), text(2, 'b')]));
    expect(decodeProtobuf(body('v1', 'ConfigMap', Buffer.concat([text(1, metadata), data])))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'x', labels: { app: 'web' } },
      data: { a: 'b' },
    });
  });

  it('finds DeleteOptions in every group', () => {
    const raw = Buffer.from([8, 30]);
    expect(decodeProtobuf(body('apps/v1', 'DeleteOptions', raw))).toMatchObject({ gracePeriodSeconds: 30 });
  });

  it('reads lists of numbers, packed or not, and steps over groups', () => {
    const packed = text(4, Buffer.of(1, 0x96, 1));
    const plain = Buffer.of(0x20, 7);
    const group = Buffer.of(0x9b, 6, 8, 1, 0x9c, 6);
    const context = text(14, Buffer.concat([packed, group, plain]));
    expect(decodeProtobuf(body('v1', 'Pod', text(2, context)))).toMatchObject({
      spec: { securityContext: { supplementalGroups: [1, 150, 7] } },
    });
  });

  it('keeps a map key that JavaScript has a meaning for', () => {
    const data = text(2, Buffer.concat([text(1, '__proto__'), text(2, 'b')]));
    const decoded = decodeProtobuf(body('v1', 'ConfigMap', data)) as { readonly data: object };
    expect(Object.entries(decoded.data)).toEqual([['__proto__', 'b']]);
  });

  const nested =
    (...fields: number[]) =>
    (raw: Buffer) =>
      fields.reduceRight((inner, field) => text(field, inner), raw);
  it.each([
    ['a wrong wire type', Buffer.of(8, 1), 'proto: wrong wireType = 0 for field Metadata'],
    ['field 0', Buffer.of(2, 0), 'proto: illegal tag 0 (wire type 2)'],
    ['an end without a beginning', Buffer.of(12), 'proto: wiretype end group for non-group'],
    ['an unknown wire type', Buffer.of(0x7e), 'proto: illegal wireType 6'],
    ['a number without end', Buffer.alloc(11, 0xff), 'proto: integer overflow'],
    ['a length beyond the end', Buffer.of(10, 0x7f), 'unexpected EOF'],
    [
      'a time that cannot be written',
      nested(1, 8)(Buffer.from([8, ...Array(7).fill(0xff), 0x7f])),
      'outside the years',
    ],
  ])("refuses %s in upstream's words", (_name, raw, message) => {
    expect(() => decodeProtobuf(body('v1', 'ConfigMap', raw))).toThrow(message);
  });

  it('refuses a double that JSON has no word for', () => {
    const infinity = Buffer.concat([Buffer.of(0x49), Buffer.from([0, 0, 0, 0, 0, 0, 0xf0, 0x7f])]);
    expect(() => decodeProtobuf(body('apiextensions.k8s.io/v1', 'JSONSchemaProps', infinity))).toThrow(
      'json: unsupported value: Infinity',
    );
  });

  it.each([
    ['no prefix', Buffer.from('{}')],
    ['an unknown kind', body('v1', 'Nope', Buffer.alloc(0))],
    ['a cut message', body('v1', 'ConfigMap', Buffer.from([10, 50, 1]))],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decodeProtobuf(bytes)).toThrow(expect.objectContaining({ name: 'ProtobufError' }));
  });
});
