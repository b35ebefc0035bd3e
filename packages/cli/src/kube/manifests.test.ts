import { describe, expect, it } from 'vitest';
import { parseManifest } from './manifests.ts';

describe('parseManifest', () => {
  it('takes documents and lists apart, and passes over empty ones', () => {
    const text = `
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
# nothing
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: b}}
- {apiVersion: v1, kind: Secret, metadata: {name: c}}
`;
    expect(parseManifest(text, 'x.yaml').map(({ metadata }) => metadata?.name)).toEqual(['a', 'b', 'c']);
  });

  it('reads numbers and booleans as kubectl does', () => {
    const text =
      'apiVersion: v1\nkind: A\nspec: {mode: 0644, on: yes, off: N, text: "0644", time: 2024-01-01, ports: 22:22, big: 1_000}';
    expect(parseManifest(text, 'x')).toEqual([
      {
        apiVersion: 'v1',
        kind: 'A',
        spec: { mode: 420, true: true, false: false, text: '0644', time: '2024-01-01', ports: '22:22', big: 1000 },
      },
    ]);
  });

  it.each([
    ['a: b\n c: [', /error parsing x: error converting YAML to JSON: yaml: line 2: /],
    ['- a', /a document is not an object/],
    ['kind: A', /error validating "x": error validating data: apiVersion not set/],
    ['a: b', /\[apiVersion not set, kind not set\]/],
    ['apiVersion: v1\nkind: A\nkind: B', /duplicated mapping key/],
  ])('refuses %j', (text, message) => expect(() => parseManifest(text, 'x')).toThrow(message));
});
