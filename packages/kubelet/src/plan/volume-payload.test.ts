import type { Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import {
  configMapPayload,
  downwardPayload,
  mergePayloads,
  samePayload,
  secretPayload,
  VolumeError,
} from './volume-payload.ts';

const config = { data: { a: '1', b: '2' }, binaryData: { c: btoa('\xff\x00') } };
const source = { what: 'config', items: undefined, optional: false, mode: 0o644 };

describe('payloads', () => {
  it('hold every key of a config map, binary ones as bytes', () => {
    const files = configMapPayload(config, source);
    expect([...files.keys()]).toEqual(['a', 'b', 'c']);
    expect(files.get('c')?.content).toEqual(new Uint8Array([255, 0]));
  });

  it('hold the chosen keys under their paths, with modes of their own', () => {
    const files = configMapPayload(config, { ...source, items: [{ key: 'b', path: 'deep/x', mode: 0o400 }] });
    expect([...files]).toEqual([['deep/x', { content: '2', mode: 0o400 }]]);
  });

  it('refuse a missing key unless it is optional, and a path that leads out', () => {
    const missing = { ...source, items: [{ key: 'z', path: 'z' }] };
    expect(() => configMapPayload(config, missing)).toThrow(new VolumeError('references non-existent config key: z'));
    expect(configMapPayload(config, { ...missing, optional: true }).size).toBe(0);
    expect(() => configMapPayload(config, { ...source, items: [{ key: 'a', path: '../x' }] })).toThrow(VolumeError);
  });

  it('hold the pod’s own metadata', () => {
    const pod: Pod = { metadata: { name: 'p', labels: { b: '2', a: 'say "x"' } }, spec: { containers: [] } };
    const node = { cpuMillis: 1, memoryBytes: 1, ephemeralStorageBytes: 1 };
    const items = [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }];
    const files = downwardPayload(pod, items, 0o444, { podIp: '', hostIp: '' }, node);
    expect(files.get('labels')).toEqual({ content: 'a="say \\"x\\""\nb="2"', mode: 0o444 });
  });

  it('merge with the later file winning, and compare by content and mode', () => {
    const one = secretPayload({ data: { a: btoa('1') } }, source);
    const two = configMapPayload({ data: { a: '2' } }, source);
    const merged = mergePayloads([one, two]);
    expect(samePayload(merged, two)).toBe(true);
    expect(samePayload(one, two)).toBe(false);
    expect(samePayload(configMapPayload({ data: { a: '1' } }, source), one)).toBe(true);
    expect(samePayload(undefined, one)).toBe(false);
  });
});
