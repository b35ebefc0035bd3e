import { expect, it } from 'vitest';
import { annotated, LAST_APPLIED, lastAppliedOf } from './last-applied.ts';

it('notes a manifest byte for byte as kubectl does', () => {
  const manifest = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { namespace: 'default', name: 'a' },
    data: { b: '<&>' },
  };
  const text = annotated(manifest).metadata?.annotations?.[LAST_APPLIED];
  expect(text).toBe(
    '{"apiVersion":"v1","data":{"b":"\\u003c\\u0026\\u003e"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"default"}}\n',
  );
  expect(lastAppliedOf(annotated(annotated(manifest)))).toEqual({
    ...manifest,
    metadata: { ...manifest.metadata, annotations: {} },
  });
});

it('knows what was never applied', () => expect(lastAppliedOf({ metadata: { name: 'a' } })).toBeUndefined());
