import { describe, expect, it } from 'vitest';
import { type Encoding, negotiate, negotiateStream, type ObjectForm } from './negotiate.ts';

const all: readonly ObjectForm[] = ['object', 'table', 'partial'];
const protobuf = 'application/vnd.kubernetes.protobuf';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const metadata = ';as=PartialObjectMetadata;g=meta.k8s.io;v=v1';

describe('negotiate', () => {
  it.each([
    [undefined, all, 'json', 'object'],
    ['*/*', all, 'json', 'object'],
    ['application/*', all, 'json', 'object'],
    ['application/yaml', all, 'yaml', 'object'],
    [protobuf, all, 'protobuf', 'object'],
    [`${protobuf},application/json`, all, 'protobuf', 'object'],
    [`application/json, ${protobuf}`, all, 'json', 'object'],
    [`*/*, ${protobuf}`, all, 'protobuf', 'object'],
    [`${protobuf};q=0.3, application/yaml;q=0.7, application/json;q=0.5`, all, 'yaml', 'object'],
    ['application/cbor, application/json', all, 'json', 'object'],
    [`${table},application/json`, all, 'json', 'table'],
    [`${table},application/json`, ['object'], 'json', 'object'],
    ['application/yaml;as=Table;v=v1;g=meta.k8s.io', all, 'yaml', 'table'],
    [`${protobuf};as=Table;v=v1;g=meta.k8s.io,${table},application/json`, all, 'json', 'table'],
    [`${protobuf}${metadata},application/json${metadata},application/json`, all, 'protobuf', 'partial'],
    ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', all, 'json', 'partial'],
    ['application/yaml;q=0.5, application/json', all, 'json', 'object'],
  ] as const)('%s', (accept, forms, encoding, form) => {
    expect(negotiate(accept, false, forms)).toMatchObject({ encoding, form });
  });

  it.each([
    'application/cbor',
    'text/html',
    'application/json;as=Table;v=v2;g=meta.k8s.io',
    'application/json;g=meta.k8s.io;v=v1',
    `${protobuf};as=Table;v=v1;g=meta.k8s.io`,
    `${protobuf};stream=other`,
  ])('cannot make %s', (accept) => {
    expect(() => negotiate(accept, false, all)).toThrow(
      expect.objectContaining({
        code: 406,
        message: `only the following media types are accepted: application/json, application/yaml, ${protobuf}`,
      }),
    );
  });

  it('writes metadata in the version that was asked for', () => {
    const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1beta1';
    expect(negotiate(accept, false, all)).toMatchObject({ form: 'table', metaVersion: 'v1beta1' });
  });

  it('has no protobuf for kinds without messages', () => {
    const textOnly: readonly Encoding[] = ['json', 'yaml'];
    expect(negotiate(`${protobuf},application/json`, false, all, textOnly)).toMatchObject({ encoding: 'json' });
    expect(() => negotiate(protobuf, false, all, textOnly)).toThrow(
      'only the following media types are accepted: application/json, application/yaml',
    );
  });
});

describe('negotiateStream', () => {
  it.each([
    [undefined, 'json'],
    ['application/json;stream=watch', 'json'],
    [`${protobuf};stream=watch,application/json`, 'protobuf'],
    [`${protobuf}, */*`, 'protobuf'],
  ] as const)('%s', (accept, encoding) => {
    expect(negotiateStream(accept, all)).toMatchObject({ encoding });
  });

  it('refuses YAML, which has no frames', () => {
    expect(() => negotiateStream('application/yaml', all)).toThrow(
      `only the following media types are accepted: application/json;stream=watch, ${protobuf};stream=watch`,
    );
  });
});
