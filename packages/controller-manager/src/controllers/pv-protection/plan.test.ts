import type { PersistentVolume } from '@wherry/api';
import { expect, it } from 'vitest';
import { planVolume, VOLUME_FINALIZER } from './plan.ts';

const volume = (finalizers: readonly string[], deleted: boolean, phase: string): PersistentVolume => ({
  metadata: { name: 'v', finalizers, ...(deleted && { deletionTimestamp: '2026-01-01T00:00:00Z' }) },
  status: { phase },
});

it.each([
  ['is added to a volume without', volume([], false, 'Available'), 'add'],
  ['stays on a living volume', volume([VOLUME_FINALIZER], false, 'Available'), undefined],
  ['stays while the volume is bound', volume([VOLUME_FINALIZER], true, 'Bound'), undefined],
  ['goes from a deleted volume', volume([VOLUME_FINALIZER], true, 'Released'), 'remove'],
])('the finalizer %s', (_, given, kind) => {
  expect(planVolume(given)?.kind).toBe(kind);
});
