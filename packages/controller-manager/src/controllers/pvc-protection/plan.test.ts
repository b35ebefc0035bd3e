import type { PersistentVolumeClaim, Pod } from '@wherry/api';
import { expect, it } from 'vitest';
import { CLAIM_FINALIZER, planClaim } from './plan.ts';

const claim = (finalizers: readonly string[], deleted: boolean): PersistentVolumeClaim => ({
  metadata: { name: 'data', finalizers, ...(deleted && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
});
const pod = (volume: object, nodeName?: string): Pod => ({
  metadata: { name: 'p' },
  spec: { containers: [], volumes: [{ name: 'v', ...volume }], ...(nodeName !== undefined && { nodeName }) },
});
const used = pod({ persistentVolumeClaim: { claimName: 'data' } }, 'n1');

it.each<readonly [string, PersistentVolumeClaim, readonly Pod[], string | undefined, readonly string[]]>([
  ['is added to a claim without', claim(['x'], false), [], 'add', ['x', CLAIM_FINALIZER]],
  ['stays on a living claim', claim([CLAIM_FINALIZER], false), [], undefined, []],
  ['goes from a deleted claim', claim(['x', CLAIM_FINALIZER], true), [], 'remove', ['x']],
  ['stays while a pod on a node uses it', claim([CLAIM_FINALIZER], true), [used], undefined, []],
  [
    'waits for no pod without a node',
    claim([CLAIM_FINALIZER], true),
    [{ ...used, spec: { ...used.spec, containers: [], nodeName: '' } }],
    'remove',
    [],
  ],
  [
    'stays for an ephemeral volume',
    { metadata: { ...claim([CLAIM_FINALIZER], true).metadata, name: 'p-v' } },
    [pod({ ephemeral: {} }, 'n1')],
    undefined,
    [],
  ],
  ['is not added to a dying claim', claim([], true), [], undefined, []],
])('the finalizer %s', (_, given, pods, kind, finalizers) => {
  const plan = planClaim(given, pods);
  expect(plan?.kind).toBe(kind);
  expect(plan?.finalizers ?? []).toEqual(finalizers);
});
