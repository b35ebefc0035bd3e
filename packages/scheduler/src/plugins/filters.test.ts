import type { Affinity, Node, Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { SchedulingCycle } from '../framework/cycle.ts';
import { fitErrorMessage } from '../framework/fit-error.ts';
import type { ClusterView } from '../framework/plugin.ts';
import { podInfoOf } from '../framework/pod-info.ts';
import { node, pod, viewOf } from '../testing/cluster-builder.ts';
import { defaultProfile } from './default-profile.ts';

/** The node a pod gets when only one fits, or the reasons why none does. */
function outcome(subject: Pod, view: ClusterView): string {
  const attempt = new SchedulingCycle(defaultProfile, () => 0).attempt(podInfoOf(subject), view);
  return attempt.kind === 'placed' ? attempt.nodeName : fitErrorMessage(attempt);
}

const taint = (key: string, effect: string) => ({ spec: { taints: [{ key, effect }] } });
const near = (app: string, topologyKey = 'zone'): Affinity => ({
  podAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app } }, topologyKey }],
  },
});
const apart = (app: string, topologyKey = 'kubernetes.io/hostname'): Affinity => ({
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app } }, topologyKey }],
  },
});
const zones = [node('a1', { labels: { zone: 'a' } }), node('b1', { labels: { zone: 'b' } })];
const web = { app: 'web' };
const spread = (whenUnsatisfiable: string, more = {}) => ({
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable, labelSelector: { matchLabels: web }, ...more },
  ],
});

describe('filters, in upstream’s words', () => {
  it.each<[string, Pod, readonly Node[], Record<string, readonly Pod[]>, string]>([
    ['nobody', pod('p'), [], {}, 'no nodes available to schedule pods'],
    [
      'cordoned',
      pod('p'),
      [node('n', { spec: { unschedulable: true } })],
      {},
      '0/1 nodes are available: 1 node(s) were unschedulable.',
    ],
    [
      'another node',
      pod('p', { spec: { nodeName: 'x' } }),
      [node('n')],
      {},
      "0/1 nodes are available: 1 node(s) didn't match the requested node name.",
    ],
    [
      'taint',
      pod('p'),
      [node('n', taint('k', 'NoSchedule')), node('m', taint('k', 'NoExecute'))],
      {},
      '0/2 nodes are available: 2 node(s) had untolerated taint(s).',
    ],
    [
      'tolerated',
      pod('p', { spec: { tolerations: [{ operator: 'Exists' }] } }),
      [node('n', taint('k', 'NoSchedule'))],
      {},
      'n',
    ],
    ['a taint to be preferred against', pod('p'), [node('n', taint('k', 'PreferNoSchedule')), node('m')], {}, 'm'],
    [
      'node selector',
      pod('p', { spec: { nodeSelector: { disk: 'ssd' } } }),
      [node('n')],
      {},
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    [
      'a named node that is not there',
      pod('p', {
        spec: {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['x'] }] }],
              },
            },
          },
        },
      }),
      [node('n'), node('m')],
      {},
      "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity].",
    ],
    [
      'host port',
      pod('p', { hostPort: 80 }),
      [node('n')],
      { n: [pod('q', { hostPort: 80 })] },
      "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    ],
    [
      'host port elsewhere',
      pod('p', { hostPort: 80 }),
      [node('n'), node('m')],
      { n: [pod('q', { hostPort: 80 })] },
      'm',
    ],
    [
      'too large',
      pod('p', { requests: { cpu: '5', memory: '9Gi' } }),
      [node('n')],
      {},
      '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.',
    ],
    [
      'no room left',
      pod('p', { requests: { cpu: '2' } }),
      [node('n')],
      { n: [pod('q', { requests: { cpu: '2001m' } })] },
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'an extended resource',
      pod('p', { requests: { 'example.com/gpu': '1' } }),
      [node('n'), node('m', { allocatable: { 'example.com/gpu': '1' } })],
      {},
      'm',
    ],
    [
      'too many pods',
      pod('p'),
      [node('n', { allocatable: { pods: '1' } })],
      { n: [pod('q')] },
      '0/1 nodes are available: 1 Too many pods.',
    ],
    [
      'sidecars count with the rest',
      pod('p', {
        requests: { cpu: '3' },
        spec: { initContainers: [{ name: 's', restartPolicy: 'Always', resources: { requests: { cpu: '2' } } }] },
      }),
      [node('n')],
      {},
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
    [
      'near a pod in its zone',
      pod('p', { spec: { affinity: near('web') } }),
      zones,
      { b1: [pod('q', { labels: web })] },
      'b1',
    ],
    [
      'near nobody',
      pod('p', { spec: { affinity: near('web') } }),
      zones,
      {},
      "0/2 nodes are available: 2 node(s) didn't match pod affinity rules.",
    ],
    [
      'the first of those that want to be together',
      pod('p', { labels: web, spec: { affinity: near('web') } }),
      [zones[0] as Node],
      {},
      'a1',
    ],
    [
      'apart from its like',
      pod('p', { spec: { affinity: apart('web') } }),
      zones,
      { a1: [pod('q', { labels: web })] },
      'b1',
    ],
    [
      'nowhere apart',
      pod('p', { spec: { affinity: apart('web', 'zone') } }),
      [zones[0] as Node],
      { a1: [pod('q', { labels: web })] },
      "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules.",
    ],
    [
      'kept away by one that runs',
      pod('p', { labels: web }),
      [zones[0] as Node],
      { a1: [pod('q', { spec: { affinity: apart('web') } })] },
      "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules.",
    ],
    [
      'another namespace is not meant',
      pod('p', { spec: { affinity: apart('web') } }),
      [zones[0] as Node],
      { a1: [pod('q', { labels: web, namespace: 'other' })] },
      'a1',
    ],
    [
      'spread: the emptier zone',
      pod('p', { labels: web, spec: spread('DoNotSchedule') }),
      zones,
      { a1: [pod('q', { labels: web })] },
      'b1',
    ],
    [
      'spread: the emptier zone is full',
      pod('p', { labels: web, requests: { cpu: '1' }, spec: spread('DoNotSchedule') }),
      [zones[0] as Node, node('b1', { labels: { zone: 'b' }, allocatable: { cpu: '0' } })],
      { a1: [pod('q', { labels: web })] },
      "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints.",
    ],
    [
      'spread: no label',
      pod('p', { labels: web, spec: spread('DoNotSchedule') }),
      [node('n')],
      {},
      "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label).",
    ],
    [
      'spread: too few domains count as empty',
      pod('p', { labels: web, spec: spread('DoNotSchedule', { minDomains: 2 }) }),
      [zones[0] as Node],
      { a1: [pod('q', { labels: web })] },
      "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints.",
    ],
    [
      'several reasons, counted',
      pod('p', { requests: { cpu: '5' } }),
      [node('a'), node('b'), node('c', taint('k', 'NoSchedule'))],
      {},
      '0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.',
    ],
  ])('%s', (_, subject, nodes, placed, expected) => expect(outcome(subject, viewOf(nodes, placed))).toBe(expected));

  it('uses labels of namespaces', () => {
    const affinity: Affinity = {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            labelSelector: { matchLabels: web },
            namespaceSelector: { matchLabels: { team: 'x' } },
            topologyKey: 'zone',
          },
        ],
      },
    };
    const placed = { a1: [pod('q', { labels: web, namespace: 'other' })] };
    const labelled = viewOf(zones, placed, {
      namespaceLabels: (name) => (name === 'other' ? { team: 'x' } : undefined),
    });
    expect(outcome(pod('p', { spec: { affinity } }), labelled)).toBe('b1');
  });
});
