// Whether a container that is not running is to be started (again).
import type { Container, ContainerRestartRule, Pod } from '@wherry/api';
import { latestContainer, type RuntimePod } from './runtime-state.ts';

/** A sidecar: an init container that keeps running beside the others (KEP-753). */
export function isRestartableInit(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

export function shouldRestartOnFailure(pod: Pod): boolean {
  return pod.spec?.restartPolicy !== 'Never';
}

function ruleMatches(rule: ContainerRestartRule, exitCode: number): boolean {
  const values = rule.exitCodes?.values ?? [];
  if (rule.exitCodes?.operator === 'In') return values.includes(exitCode);
  if (rule.exitCodes?.operator === 'NotIn') return !values.includes(exitCode);
  return false;
}

/** Restart policy of one container: its own rules first, then its own policy, then the pod's (KEP-5307). */
export function restartsAfterExit(pod: Pod, container: Container, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    if (ruleMatches(rule, exitCode)) return rule.action === 'Restart';
  }
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  if (policy === 'Never') return false;
  return policy === 'Always' || exitCode !== 0;
}

/** True if the container was never started, is in no known state, or its restart policy asks for another run. */
export function shouldContainerBeStarted(pod: Pod, container: Container, runtime: RuntimePod): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false;
  const latest = latestContainer(runtime, container.name);
  if (latest === undefined) return true;
  switch (latest.phase) {
    case 'running':
      return false;
    case 'created':
    case 'unknown':
      return true;
    case 'exited':
      return restartsAfterExit(pod, container, latest.exitCode ?? 1);
  }
}

/** The restart policy of an init container: a pod's `Always` means `OnFailure` for it. */
export function initContainerRestartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  if (exitCode === 0) return false;
  if (container.restartPolicy === undefined) return shouldRestartOnFailure(pod);
  return restartsAfterExit(pod, container, exitCode);
}
