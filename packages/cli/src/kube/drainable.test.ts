import type { Pod } from '@wherry/api';
import { expect, it } from 'vitest';
import { type DrainOptions, verdictOf } from './drainable.ts';

const none: DrainOptions = {
  ignoreDaemonSets: false,
  deleteEmptyDirData: false,
  force: false,
  skipWaitSeconds: 0,
  nowMs: Date.parse('2026-01-01T00:01:00Z'),
  ownerExists: () => true,
};
function pod(owner: string | undefined, more: object = {}, status: object = { phase: 'Running' }): Pod {
  const ownerReferences =
    owner === undefined ? [] : [{ apiVersion: 'v1', kind: owner, name: 'o', uid: 'u', controller: true }];
  return { metadata: { name: 'p', ownerReferences, ...more }, spec: { containers: [] }, status } as Pod;
}
const scratch = { volumes: [{ name: 'v', emptyDir: {} }], containers: [] };

it.each<[string, Pod, Partial<DrainOptions>, string]>([
  ['of a replica set', pod('ReplicaSet'), {}, 'evict'],
  ['bare', pod(undefined), {}, 'refuse'],
  ['bare, forced', pod(undefined), { force: true }, 'evict'],
  ['bare and finished', pod(undefined, {}, { phase: 'Succeeded' }), {}, 'evict'],
  ['of a daemon set', pod('DaemonSet'), {}, 'refuse'],
  ['of a daemon set, ignored', pod('DaemonSet'), { ignoreDaemonSets: true }, 'leave'],
  ['of a daemon set that is gone', pod('DaemonSet'), { ignoreDaemonSets: true, ownerExists: () => false }, 'refuse'],
  ['of a daemon set that is gone, forced', pod('DaemonSet'), { force: true, ownerExists: () => false }, 'evict'],
  ['mirror', pod(undefined, { annotations: { 'kubernetes.io/config.mirror': 'x' } }), {}, 'leave'],
  ['with local data', { ...pod('ReplicaSet'), spec: scratch }, {}, 'refuse'],
  ['with local data, allowed', { ...pod('ReplicaSet'), spec: scratch }, { deleteEmptyDirData: true }, 'evict'],
  ['long gone', pod('ReplicaSet', { deletionTimestamp: '2026-01-01T00:00:00Z' }), { skipWaitSeconds: 30 }, 'leave'],
  ['going', pod('ReplicaSet', { deletionTimestamp: '2026-01-01T00:00:45Z' }), { skipWaitSeconds: 30 }, 'evict'],
])('%s', (_, given, options, kind) => expect(verdictOf(given, { ...none, ...options }).kind).toBe(kind));
