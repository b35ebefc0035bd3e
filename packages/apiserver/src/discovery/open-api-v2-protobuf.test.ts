import { openApiV2Document } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { openApiV2Protobuf } from './open-api-v2-protobuf.ts';

/** Fields of one message: number → raw contents of the length-delimited ones. */
function fieldsOf(bytes: Buffer): ReadonlyMap<number, readonly Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const size = varint();
    const isBytes = tag % 8 === 2;
    const content = isBytes ? bytes.subarray(at, at + size) : Buffer.of(size);
    if (isBytes) at += size;
    fields.set(number, [...(fields.get(number) ?? []), content]);
  }
  return fields;
}
const textOf = (bytes: Buffer | undefined): string => bytes?.toString('utf8') ?? '';

describe('openApiV2Protobuf', () => {
  const document = fieldsOf(openApiV2Protobuf(openApiV2Document('v1.35.0')));
  const definitions = new Map(
    (fieldsOf(document.get(9)?.[0] ?? Buffer.alloc(0)).get(1) ?? []).map((pair) => {
      const named = fieldsOf(pair);
      return [textOf(named.get(1)?.[0]), fieldsOf(named.get(2)?.[0] ?? Buffer.alloc(0))];
    }),
  );

  it('says what it is', () => expect(textOf(document.get(1)?.[0])).toBe('2.0'));

  it('holds every definition and path', () => {
    const json = openApiV2Document('v1.35.0') as { definitions: object; paths: object };
    expect([...definitions.keys()].sort()).toEqual(Object.keys(json.definitions).sort());
    expect(fieldsOf(document.get(8)?.[0] ?? Buffer.alloc(0)).get(2)).toHaveLength(Object.keys(json.paths).length);
  });

  it('names fields, required ones and the kind, by which clients find a definition', () => {
    const pod = definitions.get('io.k8s.api.core.v1.Pod');
    const properties = fieldsOf(pod?.get(25)?.[0] ?? Buffer.alloc(0)).get(1) ?? [];
    expect(properties.map((pair) => textOf(fieldsOf(pair).get(1)?.[0]))).toEqual(
      expect.arrayContaining(['apiVersion', 'kind', 'metadata', 'spec', 'status']),
    );
    const extension = fieldsOf(pod?.get(31)?.[0] ?? Buffer.alloc(0));
    expect(textOf(extension.get(1)?.[0])).toBe('x-kubernetes-group-version-kind');
    const yaml = textOf(fieldsOf(extension.get(2)?.[0] ?? Buffer.alloc(0)).get(2)?.[0]);
    expect(JSON.parse(yaml)).toEqual([{ group: '', kind: 'Pod', version: 'v1' }]);
    const container = definitions.get('io.k8s.api.core.v1.Container');
    expect(container?.get(19)?.map(textOf)).toContain('name');
  });
});
