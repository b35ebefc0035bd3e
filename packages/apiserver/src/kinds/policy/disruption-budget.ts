import type { PodDisruptionBudget } from '@wherry/api';
import { ageColumn, count, nameColumn, text } from '../cells.ts';
import {
  checkAtMostAllPercent,
  checkCountOrPercent,
  checkLabelSelector,
  checkNonNegative,
  checkSupported,
} from '../checks.ts';
import { invalid } from '../findings.ts';
import { asPrefix, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

const counters = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const;

export const disruptionBudgetStrategy = strategyOf<PodDisruptionBudget>({
  validateName: asPrefix(dns1123Subdomain),
  generation: true,
  allowUnconditionalUpdate: false,
  check: (findings, { spec }) => {
    if (spec === undefined) return;
    const { maxUnavailable, minAvailable } = spec;
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      findings.push(invalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
    }
    checkCountOrPercent(findings, minAvailable, 'spec.minAvailable');
    checkAtMostAllPercent(findings, minAvailable, 'spec.minAvailable');
    checkCountOrPercent(findings, maxUnavailable, 'spec.maxUnavailable');
    checkAtMostAllPercent(findings, maxUnavailable, 'spec.maxUnavailable');
    checkLabelSelector(findings, spec.selector, 'spec.selector');
    checkSupported(
      findings,
      spec.unhealthyPodEvictionPolicy,
      ['AlwaysAllow', 'IfHealthyBudget'],
      'spec.unhealthyPodEvictionPolicy',
    );
  },
  checkStatus: (findings, { status }) => {
    for (const counter of counters) checkNonNegative(findings, status?.[counter], `status.${counter}`);
  },
  columns: [
    nameColumn,
    text('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
    text('Max Unavailable', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A')),
    count('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed),
    ageColumn,
  ],
});
