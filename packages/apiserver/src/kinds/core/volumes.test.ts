// PersistentVolumes and their claims.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { created, createRefusals, row, subresourceRefusals, testContext, updateRefusals } from '../validation-cases.ts';
import { persistentVolumeStrategy } from './persistent-volume.ts';
import { persistentVolumeClaimStrategy } from './persistent-volume-claim.ts';

function volume(change: PersistentVolumeSpec = {}): PersistentVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' }, ...change },
  };
}

function claim(change: PersistentVolumeClaimSpec = {}): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'pvc', namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...change },
  };
}

describe('a PersistentVolume', () => {
  const cases: readonly (readonly [string, PersistentVolumeSpec, readonly string[]])[] = [
    ['a path of the host', {}, []],
    ['no access modes', { accessModes: [] }, ['spec.accessModes: Required value']],
    [
      'an unknown access mode',
      { accessModes: ['Read'] },
      [
        'spec.accessModes: Unsupported value: "Read": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      ],
    ],
    [
      'no capacity',
      { capacity: {} },
      ['spec.capacity: Required value', 'spec.capacity: Unsupported value: {}: supported values: "storage"'],
    ],
    [
      'an empty capacity',
      { capacity: { storage: '0' } },
      ['spec.capacity[storage]: Invalid value: "0": must be greater than zero'],
    ],
    [
      'two sources',
      { nfs: { path: '/', server: 's' } },
      ['spec.nfs: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'a relative path of the host',
      { hostPath: { path: '../x' } },
      ['spec.hostPath.path: Invalid value: "../x": must not contain \'..\''],
    ],
    [
      'a policy nobody knows',
      { persistentVolumeReclaimPolicy: 'Burn' },
      [
        'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
      ],
    ],
    [
      'the whole host to be recycled',
      { hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' },
      ["spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(persistentVolumeStrategy, volume(change))).toEqual(refusals);
  });

  it('needs a source, and a node for a local disk', () => {
    const { hostPath: _hostPath, ...bare } = volume().spec ?? {};
    expect(createRefusals(persistentVolumeStrategy, { ...volume(), spec: bare })).toEqual([
      'spec: Required value: must specify a volume type',
    ]);
    expect(createRefusals(persistentVolumeStrategy, { ...volume(), spec: { ...bare, local: { path: '/d' } } })).toEqual(
      ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
    );
  });

  it('keeps its source and its mode', () => {
    const old = created(persistentVolumeStrategy, volume());
    const [source, mode] = updateRefusals(
      persistentVolumeStrategy,
      old,
      volume({ hostPath: { path: '/b' }, volumeMode: 'Block' }),
    );
    expect(source).toMatch(
      /^spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation/,
    );
    expect(mode).toBe('volumeMode: Invalid value: "Block": field is immutable');
  });

  it('knows since when it is in its phase', () => {
    const old = { ...created(persistentVolumeStrategy, volume()), status: { phase: 'Pending' } };
    const next = { ...old, status: { phase: 'Bound' } };
    const ready = persistentVolumeStrategy.subresources?.['status']?.prepareForUpdate(next, old, testContext);
    expect(ready?.status).toEqual({ phase: 'Bound', lastPhaseTransitionTime: testContext.now });
  });

  it('shows its claim', () => {
    const object = volume({ claimRef: { namespace: 'a', name: 'b' }, storageClassName: 'fast' });
    expect(row(persistentVolumeStrategy, { ...object, status: { phase: 'Bound' } })).toMatchObject({
      Capacity: '1Gi',
      'Access Modes': 'RWO',
      Status: 'Bound',
      Claim: 'a/b',
      StorageClass: 'fast',
      VolumeAttributesClass: '<unset>',
    });
  });
});

describe('a PersistentVolumeClaim', () => {
  const cases: readonly (readonly [string, PersistentVolumeClaimSpec, readonly string[]])[] = [
    ['a size', { storageClassName: 'fast', selector: { matchLabels: { a: 'b' } } }, []],
    ['no access modes', { accessModes: [] }, ['spec.accessModes: Required value: at least 1 access mode is required']],
    ['no size', { resources: {} }, ['spec.resources[storage]: Required value']],
    [
      'no room',
      { resources: { requests: { storage: '0' } } },
      ['spec.resources[storage]: Invalid value: "0": must be greater than zero'],
    ],
    [
      'a mode that stands alone',
      { accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] },
      ['spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
    ],
    [
      'an unknown volume mode',
      { volumeMode: 'Tape' },
      ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
    ],
    [
      'a source of the core group that is no claim',
      { dataSource: { kind: 'Pod', name: 'p' } },
      [
        'spec.dataSource: Invalid value: "Pod": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
        'spec.dataSourceRef: Invalid value: "Pod": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
      ],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(persistentVolumeClaimStrategy, claim(change))).toEqual(refusals);
  });

  const pending = created(persistentVolumeClaimStrategy, claim());
  const bound: PersistentVolumeClaim = {
    ...pending,
    spec: { ...pending.spec, volumeName: 'pv' },
    status: { phase: 'Bound', capacity: { storage: '1Gi' } },
  };
  const sized = (storage: string): PersistentVolumeClaim => ({
    ...bound,
    spec: { ...bound.spec, resources: { requests: { storage } } },
  });

  it('is bound once, and grows only when bound', () => {
    const chosen = { ...pending, spec: { ...pending.spec, volumeName: 'pv', storageClassName: 'default-class' } };
    expect(updateRefusals(persistentVolumeClaimStrategy, pending, chosen)).toEqual([]);
    expect(updateRefusals(persistentVolumeClaimStrategy, bound, sized('2Gi'))).toEqual([]);
    const [refusal] = updateRefusals(persistentVolumeClaimStrategy, pending, {
      ...pending,
      spec: { ...pending.spec, resources: { requests: { storage: '2Gi' } } },
    });
    expect(refusal).toMatch(
      /^spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n/,
    );
  });

  it('never shrinks below what it has', () => {
    expect(updateRefusals(persistentVolumeClaimStrategy, bound, sized('500Mi'))).toEqual([
      'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    ]);
  });

  it('has a status with amounts', () => {
    const next = { ...bound, status: { ...bound.status, capacity: { storage: '-1' } } };
    expect(subresourceRefusals(persistentVolumeClaimStrategy, 'status', bound, next)).toEqual([
      'status.capacity[storage]: Invalid value: "-1": must be a valid resource quantity',
    ]);
  });

  it('shows its volume once it has one', () => {
    expect(row(persistentVolumeClaimStrategy, pending)).toMatchObject({ Status: 'Pending', Volume: '', Capacity: '' });
    const object = { ...bound, status: { ...bound.status, accessModes: ['ReadWriteOnce', 'ReadOnlyMany'] } };
    expect(row(persistentVolumeClaimStrategy, object)).toMatchObject({
      Status: 'Bound',
      Volume: 'pv',
      Capacity: '1Gi',
      'Access Modes': 'RWO,ROX',
      VolumeMode: 'Filesystem',
    });
  });
});
