import { describe, expect, it } from 'vitest';
import { negotiate, type ObjectForm } from './negotiate.ts';

const all: readonly ObjectForm[] = ['object', 'table', 'partial'];
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';

describe('negotiate', () => {
  it.each([
    [undefined, all, 'json', 'object'],
    ['*/*', all, 'json', 'object'],
    ['application/yaml', all, 'yaml', 'object'],
    ['application/vnd.kubernetes.protobuf,application/json', all, 'json', 'object'],
    [`${table},application/json`, all, 'json', 'table'],
    [`${table},application/json`, ['object'], 'json', 'object'],
    ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', all, 'json', 'partial'],
    ['application/yaml;q=0.5, application/json', all, 'json', 'object'],
  ] as const)('%s', (accept, forms, encoding, form) => {
    expect(negotiate(accept, false, forms)).toMatchObject({ encoding, form });
  });

  it.each([
    'application/vnd.kubernetes.protobuf',
    'text/html',
    'application/json;as=Table;v=v2;g=meta.k8s.io',
  ])('cannot make %s', (accept) => {
    expect(() => negotiate(accept, false, all)).toThrow(expect.objectContaining({ code: 406 }));
  });
});
