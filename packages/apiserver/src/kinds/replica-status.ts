// Counters in the status of what keeps a number of pods: none is negative, and a part is no larger than its whole.
import { checkNonNegative } from './checks.ts';
import { type Findings, invalid } from './findings.ts';

export interface ReplicaCounts {
  readonly replicas?: number;
  readonly fullyLabeledReplicas?: number;
  readonly updatedReplicas?: number;
  readonly currentReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly unavailableReplicas?: number;
  readonly terminatingReplicas?: number;
  readonly observedGeneration?: number;
  readonly collisionCount?: number;
}

const counters = [
  'replicas',
  'fullyLabeledReplicas',
  'updatedReplicas',
  'currentReplicas',
  'readyReplicas',
  'availableReplicas',
  'unavailableReplicas',
  'terminatingReplicas',
  'observedGeneration',
  'collisionCount',
] as const;

const parts = [
  'fullyLabeledReplicas',
  'updatedReplicas',
  'currentReplicas',
  'readyReplicas',
  'availableReplicas',
] as const;

/** `whole` is how upstream names readyReplicas in its last message, which differs between kinds. */
export function checkReplicaCounts(findings: Findings, status: ReplicaCounts, whole = 'readyReplicas'): void {
  for (const counter of counters) checkNonNegative(findings, status[counter], `status.${counter}`);
  const replicas = status.replicas ?? 0;
  for (const part of parts) {
    const value = status[part] ?? 0;
    if (value > replicas) findings.push(invalid(`status.${part}`, value, 'cannot be greater than status.replicas'));
  }
  const available = status.availableReplicas ?? 0;
  if (available > (status.readyReplicas ?? 0)) {
    findings.push(invalid('status.availableReplicas', available, `cannot be greater than ${whole}`));
  }
}
