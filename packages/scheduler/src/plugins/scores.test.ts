import { type LabelFilter, labelFilterOf, type Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { totalScores } from '../framework/cycle.ts';
import type { ClusterView, ScorePlugin } from '../framework/plugin.ts';
import { podInfoOf } from '../framework/pod-info.ts';
import { node, pod, viewOf } from '../testing/cluster-builder.ts';
import { imageLocality } from './image-locality.ts';
import { interPodAffinityScore } from './inter-pod-affinity.ts';
import { nodeAffinityScore } from './node-affinity.ts';
import { balancedAllocation, leastAllocated } from './node-resources.ts';
import { podTopologySpreadScore } from './pod-topology-spread.ts';
import { taintTolerationScore } from './taint-toleration.ts';

/** Scores of all nodes, in their order. */
function scores(plugin: ScorePlugin, subject: Pod, view: ClusterView): number[] {
  return [...totalScores([{ plugin, weight: 1 }], podInfoOf(subject), view, view.table.order)];
}

const web = { app: 'web' };
const webs = (...names: string[]) => names.map((name) => pod(name, { labels: web }));
const withWorkload: Partial<ClusterView> = { workloadSelector: (): LabelFilter => labelFilterOf(web) };

describe('scores', () => {
  it('least allocated: upstream’s example of 3 of 10 cores and half the memory asked of', () => {
    const view = viewOf([
      node('n', { allocatable: { cpu: '4', memory: '10000' } }),
      node('m', { allocatable: { cpu: '6', memory: '10000' } }),
    ]);
    expect(scores(leastAllocated, pod('p', { requests: { cpu: '3', memory: '5000' } }), view)).toEqual([37, 50]);
  });

  it('least allocated: pods that request nothing still fill a node', () => {
    const view = viewOf([node('n'), node('m')], { n: [pod('q'), pod('r')] });
    const [n = 0, m = 0] = scores(leastAllocated, pod('p'), view);
    expect(n).toBeLessThan(m);
  });

  it('balanced allocation: prefers equal shares, says nothing for pods without requests', () => {
    const view = viewOf([
      node('n', { allocatable: { cpu: '4', memory: '10000' } }),
      node('m', { allocatable: { cpu: '6', memory: '10000' } }),
    ]);
    expect(scores(balancedAllocation, pod('p', { requests: { cpu: '3', memory: '5000' } }), view)).toEqual([87, 100]);
    expect(scores(balancedAllocation, pod('p'), view)).toEqual([0, 0]);
  });

  it('taints to be avoided', () => {
    const avoided = { spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } };
    expect(scores(taintTolerationScore, pod('p'), viewOf([node('n', avoided), node('m')]))).toEqual([0, 100]);
  });

  it('node preferences by weight', () => {
    const prefer = (weight: number, disk: string) => ({
      weight,
      preference: { matchExpressions: [{ key: 'disk', operator: 'In', values: [disk] }] },
    });
    const subject = pod('p', {
      spec: {
        affinity: {
          nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [prefer(10, 'ssd'), prefer(5, 'hdd')] },
        },
      },
    });
    const view = viewOf([node('n', { labels: { disk: 'hdd' } }), node('m', { labels: { disk: 'ssd' } }), node('o')]);
    expect(scores(nodeAffinityScore, subject, view)).toEqual([50, 100, 0]);
  });

  it('images a node has, worth more the more nodes have them', () => {
    const image = { 'app:1': 500 * 1024 * 1024 };
    expect(scores(imageLocality, pod('p'), viewOf([node('n', { images: image }), node('m')]))).toEqual([23, 0]);
    expect(
      scores(imageLocality, pod('p'), viewOf([node('n', { images: image }), node('m', { images: image })])),
    ).toEqual([48, 48]);
  });

  it('spreads the pods of a workload over nodes without being asked', () => {
    const view = viewOf([node('n'), node('m')], { n: webs('a', 'b'), m: webs('c') }, withWorkload);
    const [n = 0, m = 0] = scores(podTopologySpreadScore, pod('p', { labels: web }), view);
    expect(m).toBeGreaterThan(n);
    expect(scores(podTopologySpreadScore, pod('p', { labels: web }), viewOf([node('n')]))).toEqual([0]);
  });

  it('spreads over zones by default', () => {
    const zone = (name: string) => ({ labels: { 'topology.kubernetes.io/zone': name } });
    const nodes = [node('a1', zone('a')), node('b1', zone('b')), node('a2', zone('a'))];
    const view = viewOf(nodes, { a1: webs('x'), b1: [] }, withWorkload);
    const byName = new Map(
      [...view.table.order].map((row, index) => [
        view.table.names[row],
        scores(podTopologySpreadScore, pod('p', { labels: web }), view)[index] ?? 0,
      ]),
    );
    expect(byName.get('b1')).toBeGreaterThan(byName.get('a2') ?? 0);
    expect(byName.get('a2')).toBeGreaterThan(byName.get('a1') ?? 0);
  });

  it('preferred affinity and anti-affinity, of both sides', () => {
    const term = {
      weight: 10,
      podAffinityTerm: { labelSelector: { matchLabels: web }, topologyKey: 'kubernetes.io/hostname' },
    };
    const likes = pod('p', {
      spec: { affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [term] } } },
    });
    const avoids = pod('p', {
      spec: { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [term] } } },
    });
    const nodes = [node('n'), node('m')];
    expect(scores(interPodAffinityScore, likes, viewOf(nodes, { n: webs('q') }))).toEqual([100, 0]);
    expect(scores(interPodAffinityScore, avoids, viewOf(nodes, { n: webs('q') }))).toEqual([0, 100]);
    expect(scores(interPodAffinityScore, pod('w', { labels: web }), viewOf(nodes, { n: [likes] }))).toEqual([100, 0]);
  });
});
