import type { Container, ContainerRestartRule } from '@wherry/api';
import { checkOneOf, checkSupported } from '../../checks.ts';
import { duplicate, type Findings, forbidden, required, tooMany } from '../../findings.ts';

const policies = ['Always', 'Never', 'OnFailure'];
const rulesMax = 20;
const exitCodesMax = 255;

/** A container's own restart policy and the exit codes that overrule it. */
export function checkRestartPolicy(
  findings: Findings,
  container: Container,
  role: 'regular' | 'init',
  path: string,
): void {
  const { restartPolicy, restartPolicyRules = [] } = container;
  checkSupported(findings, restartPolicy, policies, `${path}.restartPolicy`);
  if (restartPolicyRules.length === 0) return;
  const at = `${path}.restartPolicyRules`;
  if (restartPolicy === undefined) {
    findings.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'));
  }
  if (role === 'init' && restartPolicy === 'Always') {
    findings.push(forbidden(at, 'restartPolicyRules are not allowed for init containers with restart policy Always'));
  }
  if (restartPolicyRules.length > rulesMax) findings.push(tooMany(at, restartPolicyRules.length, rulesMax));
  for (const [index, rule] of restartPolicyRules.entries()) checkRule(findings, rule, `${at}[${index}]`);
}

function checkRule(findings: Findings, rule: ContainerRestartRule, path: string): void {
  checkOneOf(findings, rule.action, ['Restart'], `${path}.action`);
  const { exitCodes } = rule;
  if (exitCodes === undefined) {
    findings.push(required(`${path}.exitCodes`, 'must be specified'));
    return;
  }
  checkOneOf(findings, exitCodes.operator, ['In', 'NotIn'], `${path}.exitCodes.operator`);
  const values = exitCodes.values ?? [];
  const at = `${path}.exitCodes.values`;
  if (values.length > exitCodesMax) findings.push(tooMany(at, values.length, exitCodesMax));
  for (const [index, value] of values.entries()) {
    if (values.indexOf(value) < index) findings.push(duplicate(`${at}[${index}]`, value));
  }
}
