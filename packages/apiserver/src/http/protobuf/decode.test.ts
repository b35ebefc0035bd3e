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

  it.each([
    ['no prefix', Buffer.from('{}')],
    ['an unknown kind', body('v1', 'Nope', Buffer.alloc(0))],
    ['a cut message', body('v1', 'ConfigMap', Buffer.from([10, 50, 1]))],
  ])('refuses %s', (_name, bytes) => {
    expect(() => decodeProtobuf(bytes)).toThrow(expect.objectContaining({ name: 'ProtobufError' }));
  });
});
