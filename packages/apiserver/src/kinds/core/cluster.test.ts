// Namespaces and Nodes.
import type { Namespace, Node } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { created, createRefusals, row, subresourceRefusals, testContext, updateRefusals } from '../validation-cases.ts';
import { namespaceStrategy } from './namespace.ts';
import { nodeStrategy } from './node.ts';

const namespace: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } };
const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } };
const nodeInfo = {
  architecture: 'amd64',
  bootID: '',
  containerRuntimeVersion: '',
  kernelVersion: '',
  kubeProxyVersion: '',
  kubeletVersion: '',
  machineID: '',
  operatingSystem: 'linux',
  osImage: '',
  systemUUID: '',
};

describe('a Namespace', () => {
  it('begins active, with a finalizer and its name as label', () => {
    expect(created(namespaceStrategy, namespace)).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': 'team' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('has a name without dots', () => {
    expect(namespaceStrategy.validateName?.('team', false)).toEqual([]);
    expect(namespaceStrategy.validateName?.('a.b', false)).toEqual(['must not contain dots']);
    expect(namespaceStrategy.validateName?.('team-', true)).toEqual([]);
  });

  it('refuses finalizers that belong to nobody', () => {
    expect(createRefusals(namespaceStrategy, { ...namespace, spec: { finalizers: ['mine'] } })).toEqual([
      'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    ]);
  });

  it('keeps its finalizers on update; only `finalize` removes them', () => {
    const old = created(namespaceStrategy, namespace);
    const next = namespaceStrategy.prepareForUpdate({ ...old, spec: {} }, old, testContext);
    expect(next.spec?.finalizers).toEqual(['kubernetes']);
    expect(subresourceRefusals(namespaceStrategy, 'finalize', old, { ...old, spec: { finalizers: [] } })).toEqual([]);
  });

  it('is terminating exactly while it is being deleted', () => {
    const old = created(namespaceStrategy, namespace);
    expect(subresourceRefusals(namespaceStrategy, 'status', old, { ...old, status: { phase: 'Terminating' } })).toEqual(
      ['status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty'],
    );
    const metadata = { ...old.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    expect(subresourceRefusals(namespaceStrategy, 'status', old, { ...old, metadata })).toEqual([
      'status.Phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty',
    ]);
  });
});

describe('a Node', () => {
  it('keeps the status it registers with, and both forms of its pod CIDR', () => {
    expect(nodeStrategy.statusOnCreate).toBe('keep');
    expect(created(nodeStrategy, { ...node, spec: { podCIDR: '10.244.0.0/24' } }).spec?.podCIDRs).toEqual([
      '10.244.0.0/24',
    ]);
  });

  const cases: readonly (readonly [string, Partial<Node>, readonly string[]])[] = [
    ['a taint', { spec: { taints: [{ key: 'a', value: 'b', effect: 'NoSchedule' }] } }, []],
    [
      'an effect nobody knows',
      { spec: { taints: [{ key: 'a', effect: 'Never' }] } },
      [
        'metadata.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
    [
      'one taint twice',
      {
        spec: {
          taints: [
            { key: 'a', effect: 'NoSchedule' },
            { key: 'a', value: 'b', effect: 'NoSchedule' },
          ],
        },
      },
      [
        'metadata.taints[1]: Duplicate value: {"key":"a","value":"b","effect":"NoSchedule"}: taints must be unique by key and effect pair',
      ],
    ],
    [
      'a bad pod CIDR',
      { spec: { podCIDR: 'x' } },
      ['spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
    ],
    [
      'two networks of one family',
      { spec: { podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'] } },
      [
        'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family',
      ],
    ],
  ];
  it.each(cases)('with %s', (_name, change, refusals) => {
    expect(createRefusals(nodeStrategy, { ...node, ...change })).toEqual(refusals);
  });

  it('keeps its pod CIDR and its provider', () => {
    const old = created(nodeStrategy, { ...node, spec: { podCIDR: '10.244.0.0/24', providerID: 'a://1' } });
    const next = { ...old, spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'], providerID: 'a://2' } };
    expect(updateRefusals(nodeStrategy, old, next)).toEqual([
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ]);
  });

  it('shows its state, its roles and its addresses', () => {
    const shown = row(nodeStrategy, {
      ...node,
      metadata: { ...node.metadata, labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'db' } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'False' }],
        addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
        nodeInfo: { ...nodeInfo, kubeletVersion: 'v1.35.0' },
      },
    });
    expect(shown).toMatchObject({
      Status: 'NotReady,SchedulingDisabled',
      Roles: 'db,worker',
      Version: 'v1.35.0',
      'Internal-IP': '192.0.2.1',
      'External-IP': '<none>',
      'OS-Image': '<unknown>',
    });
    expect(row(nodeStrategy, node)).toMatchObject({ Status: 'Unknown', Roles: '<none>', Age: '<unknown>' });
  });
});
