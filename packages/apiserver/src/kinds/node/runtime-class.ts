import type { RuntimeClass } from '@wherry/api';
import { ageColumn, nameColumn, text } from '../cells.ts';
import { checkImmutable, checkLabels, checkName } from '../checks.ts';
import { checkOverhead } from '../core/pod/resources.ts';
import { checkTolerations } from '../core/pod/scheduling.ts';
import { asPrefix, dns1123Label, dns1123Subdomain } from '../names.ts';
import { strategyOf } from '../plain.ts';

export const runtimeClassStrategy = strategyOf<RuntimeClass>({
  validateName: asPrefix(dns1123Subdomain),
  allowUnconditionalUpdate: false,
  check: (findings, runtimeClass) => {
    checkName(findings, dns1123Label, runtimeClass.handler, 'handler');
    checkOverhead(findings, runtimeClass.overhead?.podFixed, 'overhead.podFixed');
    checkLabels(findings, runtimeClass.scheduling?.nodeSelector, 'scheduling.nodeSelector');
    checkTolerations(findings, runtimeClass.scheduling?.tolerations, 'scheduling.tolerations');
  },
  checkUpdate: (findings, next, old) => {
    checkImmutable(findings, next.handler, old.handler, 'handler');
  },
  columns: [nameColumn, text('Handler', (runtimeClass) => runtimeClass.handler), ageColumn],
});
