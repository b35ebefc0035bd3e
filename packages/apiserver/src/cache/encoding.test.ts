import { describe, expect, it } from 'vitest';
import { encodeForStorage, encodingOf, withOtherRevision, withRevision } from './encoding.ts';

const encoding = encodingOf('ConfigMap', 'v1');
const object = { data: { a: 'ü' }, metadata: { name: 'x', resourceVersion: '7' }, kind: 'ConfigMap', apiVersion: 'v1' };

describe('encoding', () => {
  it('stores kind, apiVersion and metadata first, without a resourceVersion', () => {
    expect(encodeForStorage(encoding, object).toString()).toBe(
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"},"data":{"a":"ü"}}',
    );
  });

  it('splices the revision in', () => {
    const served = withRevision(encoding, encodeForStorage(encoding, object), 42);
    expect(JSON.parse(served.toString())).toEqual({ ...object, metadata: { name: 'x', resourceVersion: '42' } });
    expect(JSON.parse(withOtherRevision(encoding, served, 1000).toString())).toMatchObject({
      metadata: { name: 'x', resourceVersion: '1000' },
    });
  });

  it.each([
    '{"metadata":{"name":"x"},"kind":"ConfigMap","apiVersion":"v1"}',
    '{"kind":"ConfigMap","apiVersion":"v1","metadata":{}}',
  ])('accepts bytes that others wrote: %s', (text) => {
    const served = withRevision(encoding, Buffer.from(text), 3);
    expect(JSON.parse(served.toString())).toMatchObject({ kind: 'ConfigMap', metadata: { resourceVersion: '3' } });
  });
});
