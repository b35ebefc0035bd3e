import type {
  CSIDriver,
  CSINode,
  CSINodeSpec,
  CSIStorageCapacity,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { createRefusals, received, row, updateRefusals } from '../validation-cases.ts';
import { csiDriverStrategy, csiNodeStrategy, csiStorageCapacityStrategy } from './csi.ts';
import { storageClassStrategy, volumeAttachmentStrategy, volumeAttributesClassStrategy } from './strategy.ts';

const apiVersion = 'storage.k8s.io/v1';
const metadata = { name: 'x' };

describe('a StorageClass', () => {
  const storageClass = (change: Partial<StorageClass> = {}): StorageClass => ({
    apiVersion,
    kind: 'StorageClass',
    metadata,
    provisioner: 'example.com/disk',
    ...change,
  });
  const cases: readonly (readonly [string, Partial<StorageClass>, readonly string[]])[] = [
    ['a provisioner', { parameters: { a: 'b' } }, []],
    ['no provisioner', { provisioner: '' }, ['provisioner: Required value']],
    [
      'an unknown policy',
      { reclaimPolicy: 'Burn' },
      ['reclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Retain"'],
    ],
    [
      'an unknown mode',
      { volumeBindingMode: 'Later' },
      ['volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"'],
    ],
    [
      'one key of a topology twice',
      {
        allowedTopologies: [
          {
            matchLabelExpressions: [
              { key: 'zone', values: ['a'] },
              { key: 'zone', values: [] },
            ],
          },
        ],
      },
      [
        'allowedTopologies[0].matchLabelExpressions[1].values: Required value',
        'allowedTopologies[0].matchLabelExpressions[1].key: Duplicate value: "zone"',
      ],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(storageClassStrategy, storageClass(change))).toEqual(refusals);
  });

  it('keeps what volumes were made with', () => {
    const next = storageClass({ parameters: { a: 'c' }, provisioner: 'b.c/d', reclaimPolicy: 'Retain' });
    expect(updateRefusals(storageClassStrategy, received(storageClass()), next)).toEqual([
      'parameters: Forbidden: updates to parameters are forbidden.',
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.',
    ]);
    const later = storageClass({ volumeBindingMode: 'WaitForFirstConsumer' });
    expect(updateRefusals(storageClassStrategy, received(storageClass()), later)).toEqual([
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ]);
  });

  it('says when it is the default', () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    const object = received(storageClass({ metadata: { ...metadata, annotations } }));
    expect(row(storageClassStrategy, object)).toMatchObject({
      Name: 'x (default)',
      ReclaimPolicy: 'Delete',
      VolumeBindingMode: 'Immediate',
      AllowVolumeExpansion: false,
    });
  });
});

describe('a VolumeAttributesClass', () => {
  const attributes: VolumeAttributesClass = {
    apiVersion,
    kind: 'VolumeAttributesClass',
    metadata,
    driverName: 'disk.example.com',
    parameters: { iops: '100' },
  };
  it('names a driver and at least one parameter, for good', () => {
    expect(createRefusals(volumeAttributesClassStrategy, attributes)).toEqual([]);
    expect(createRefusals(volumeAttributesClassStrategy, { ...attributes, driverName: '', parameters: {} })).toEqual([
      'driverName: Required value',
      'parameters: Required value: must contain at least one key/value pair',
    ]);
    expect(
      updateRefusals(volumeAttributesClassStrategy, attributes, { ...attributes, parameters: { a: 'b' } }),
    ).toEqual(['parameters: Forbidden: updates to parameters are forbidden.']);
  });
});

describe('a VolumeAttachment', () => {
  const attachment = (spec: Partial<VolumeAttachment['spec']> = {}): VolumeAttachment => ({
    apiVersion,
    kind: 'VolumeAttachment',
    metadata,
    spec: { attacher: 'disk.example.com', nodeName: 'node-1', source: { persistentVolumeName: 'pv' }, ...spec },
  });
  it('is one volume on one node', () => {
    expect(createRefusals(volumeAttachmentStrategy, attachment())).toEqual([]);
    expect(createRefusals(volumeAttachmentStrategy, attachment({ nodeName: '', source: {} }))).toEqual([
      'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
      'spec.nodeName: Required value',
    ]);
    const [refusal] = updateRefusals(volumeAttachmentStrategy, attachment(), attachment({ nodeName: 'node-2' }));
    expect(refusal).toMatch(/^spec: Invalid value: .*: field is immutable$/);
    const attached = { ...attachment(), status: { attached: true } };
    expect(row(volumeAttachmentStrategy, attached)).toMatchObject({ PV: 'pv', Node: 'node-1', Attached: true });
  });
});

describe('a driver', () => {
  const driver = (spec: CSIDriver['spec']): CSIDriver => ({ apiVersion, kind: 'CSIDriver', metadata, spec });

  it('says once what it needs', () => {
    expect(createRefusals(csiDriverStrategy, driver({}))).toEqual([]);
    expect(
      createRefusals(
        csiDriverStrategy,
        driver({ fsGroupPolicy: 'Maybe', tokenRequests: [{ audience: 'a', expirationSeconds: 1 }] }),
      ),
    ).toEqual([
      'spec.fsGroupPolicy: Unsupported value: "Maybe": supported values: "File", "None", "ReadWriteOnceWithFSType"',
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
    ]);
    expect(updateRefusals(csiDriverStrategy, received(driver({})), driver({ attachRequired: false }))).toEqual([
      'spec.attachedRequired: Invalid value: false: field is immutable',
    ]);
    expect(row(csiDriverStrategy, received(driver({})))).toMatchObject({
      AttachRequired: true,
      TokenRequests: '<unset>',
      Modes: 'Persistent',
    });
  });

  it('is on each node under one name', () => {
    const node = (...drivers: CSINodeSpec['drivers']): CSINode => ({
      apiVersion,
      kind: 'CSINode',
      metadata,
      spec: { drivers },
    });
    const one = { name: 'disk.example.com', nodeID: 'n' };
    expect(createRefusals(csiNodeStrategy, node(one))).toEqual([]);
    expect(createRefusals(csiNodeStrategy, node(one, { ...one, nodeID: '' }))).toEqual([
      'spec.drivers[1].name: Duplicate value: "disk.example.com"',
      'spec.drivers[1].nodeID: Required value',
    ]);
    expect(updateRefusals(csiNodeStrategy, node(one), node({ ...one, nodeID: 'other' }))).toHaveLength(1);
    expect(row(csiNodeStrategy, node(one))).toMatchObject({ Drivers: 1 });
  });

  it('has so much room', () => {
    const capacity: CSIStorageCapacity = { apiVersion, kind: 'CSIStorageCapacity', metadata, storageClassName: 'fast' };
    expect(createRefusals(csiStorageCapacityStrategy, { ...capacity, capacity: '1Gi' })).toEqual([]);
    expect(createRefusals(csiStorageCapacityStrategy, { ...capacity, capacity: '-1' })).toEqual([
      'capacity: Invalid value: "-1": must be greater than or equal to 0',
    ]);
    expect(updateRefusals(csiStorageCapacityStrategy, capacity, { ...capacity, storageClassName: 'slow' })).toEqual([
      'storageClassName: Invalid value: "slow": field is immutable',
    ]);
  });
});
