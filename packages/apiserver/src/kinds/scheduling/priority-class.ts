import type { PriorityClass } from '@wherry/api';
import { ageColumn, count, flag, nameColumn, text } from '../cells.ts';
import { checkImmutable, checkSupported } from '../checks.ts';
import { type Findings, forbidden } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

const systemPrefix = 'system-';
const userPriorityMax = 1_000_000_000;

/** Classes for the pods without which there is no cluster, above everything that users can define. */
export const systemPriorityClasses: readonly PriorityClass[] = [
  systemClass('system-node-critical', 2_000_001_000, 'For pods that must stay on the node they run on'),
  systemClass('system-cluster-critical', 2_000_000_000, 'For pods the cluster needs, on whichever node they run'),
];

export const priorityClassStrategy = strategyOf<PriorityClass>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  check: checkPriorityClass,
  checkUpdate: (findings, next, old) => {
    if (next.value !== old.value) findings.push(forbidden('value', 'may not be changed in an update.'));
    checkImmutable(findings, next.preemptionPolicy, old.preemptionPolicy, 'preemptionPolicy');
  },
  columns: [
    nameColumn,
    count('Value', (priorityClass) => priorityClass.value),
    flag('Global-Default', (priorityClass) => priorityClass.globalDefault),
    ageColumn,
    text('PreemptionPolicy', (priorityClass) => priorityClass.preemptionPolicy ?? ''),
  ],
});

function checkPriorityClass(findings: Findings, priorityClass: PriorityClass): void {
  const name = priorityClass.metadata?.name ?? '';
  if (name.startsWith(systemPrefix)) {
    const problem = systemProblem(priorityClass, name);
    if (problem !== undefined) {
      const detail = `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${problem}`;
      findings.push(forbidden('metadata.name', detail));
    }
  } else if (priorityClass.value > userPriorityMax) {
    const detail = `maximum allowed value of a user defined priority is ${userPriorityMax}`;
    findings.push(forbidden('value', detail));
  }
  checkSupported(findings, priorityClass.preemptionPolicy, ['PreemptLowerPriority', 'Never'], 'preemptionPolicy');
}

function systemProblem(priorityClass: PriorityClass, name: string): string | undefined {
  const known = systemPriorityClasses.find(({ metadata }) => metadata?.name === name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (known.value !== priorityClass.value) return `value of ${name} PriorityClass must be ${known.value}`;
  return priorityClass.globalDefault === true ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function systemClass(name: string, value: number, description: string): PriorityClass {
  return {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    value,
    description,
    preemptionPolicy: 'PreemptLowerPriority',
  };
}
