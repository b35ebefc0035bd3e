import type { LabelFilter, Labels, Node } from '@wherry/api';
import type { NodeTable } from './node-table.ts';
import type { PodInfo } from './pod-info.ts';

/** Why a node cannot take a pod. */
export interface Refusal {
  readonly plugin: string;
  /** Upstream's texts; several for several missing resources. */
  readonly reasons: readonly string[];
  /** Whether removing pods from the node could help. */
  readonly resolvable: boolean;
}

/** What plugins read besides the pod. */
export interface ClusterView {
  readonly table: NodeTable;
  namespaceLabels(namespace: string): Labels | undefined;
  /** The selector of the services and the controller behind a pod; undefined when nothing selects it. */
  workloadSelector(pod: PodInfo): LabelFilter | undefined;
}

export type Check = (row: number) => Refusal | undefined;

/** What a filter has found out about a pod before it looks at single nodes. */
export type Prepared =
  | { readonly kind: 'skip' }
  | { readonly kind: 'check'; readonly check: Check }
  /** Only these nodes come into question. */
  | { readonly kind: 'only'; readonly nodeNames: ReadonlySet<string>; readonly check: Check };

export const SKIP: Prepared = { kind: 'skip' };

/** Something that has happened and may let a refused pod be placed. */
export type ClusterEvent =
  | { readonly kind: 'node-added'; readonly node: Node }
  | { readonly kind: 'node-changed'; readonly node: Node; readonly previous: Node }
  | { readonly kind: 'pod-placed'; readonly pod: PodInfo }
  | { readonly kind: 'pod-changed'; readonly pod: PodInfo; readonly previous: PodInfo }
  | { readonly kind: 'pod-left'; readonly pod: PodInfo };

export interface FilterPlugin {
  readonly name: string;
  prepare(pod: PodInfo, view: ClusterView): Prepared;
  /** Whether the event may end this plugin's refusal of the pod; a wrong yes costs an attempt, a wrong no five minutes. */
  mayHelp(event: ClusterEvent, pod: PodInfo): boolean;
}

/** Scores 0…100 after `normalize`, more is better. */
export interface Scorer {
  score(row: number): number;
  normalize?(scores: Float64Array): void;
}

export interface ScorePlugin {
  readonly name: string;
  /** Undefined: all nodes are the same to this plugin. */
  prepare(pod: PodInfo, view: ClusterView, rows: Int32Array): Scorer | undefined;
}

export interface WeightedScorePlugin {
  readonly plugin: ScorePlugin;
  readonly weight: number;
}

export interface Profile {
  readonly filters: readonly FilterPlugin[];
  readonly scores: readonly WeightedScorePlugin[];
}

export const SCORE_MAX = 100;

/** Scales to 0…100 by the largest, as upstream's default normalisation; `reverse` when less is better. */
export function scaleByLargest(scores: Float64Array, reverse: boolean): void {
  let largest = 0;
  for (const score of scores) largest = Math.max(largest, score);
  for (let index = 0; index < scores.length; index++) {
    const score = largest === 0 ? 0 : Math.floor((SCORE_MAX * (scores[index] ?? 0)) / largest);
    scores[index] = reverse ? SCORE_MAX - score : score;
  }
}

export function labelsChanged(node: Node, previous: Node): boolean {
  return JSON.stringify(node.metadata?.labels) !== JSON.stringify(previous.metadata?.labels);
}
