// The conditions that the kubelet owns, with upstream's reasons and messages.
import type { ContainerStatus, Pod, PodCondition } from '@wherry/api';
import { apiTime } from './api-time.ts';
import type { PodPhase } from './pod-phase.ts';
import { isRestartableInit } from './restart.ts';

export interface ConditionInputs {
  readonly phase: PodPhase;
  readonly init: readonly ContainerStatus[];
  readonly regular: readonly ContainerStatus[];
  readonly sandboxReady: boolean;
  readonly nowMs: number;
}

type Verdict = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

function names(list: readonly string[]): string {
  return `[${list.join(' ')}]`;
}

function terminalVerdict(type: string, phase: PodPhase): Verdict | undefined {
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' };
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' };
  return undefined;
}

function sidecarOf(pod: Pod, name: string): boolean {
  return (pod.spec?.initContainers ?? []).some((container) => container.name === name && isRestartableInit(container));
}

function containersReady(pod: Pod, inputs: ConditionInputs): Verdict {
  const type = 'ContainersReady';
  const terminal = terminalVerdict(type, inputs.phase);
  if (terminal !== undefined) return terminal;
  const unknown: string[] = [];
  const unready: string[] = [];
  const wanted = [
    ...(pod.spec?.initContainers ?? []).filter(isRestartableInit).map((container) => container.name),
    ...(pod.spec?.containers ?? []).map((container) => container.name),
  ];
  const statuses = [...inputs.init.filter((status) => sidecarOf(pod, status.name)), ...inputs.regular];
  for (const name of wanted) {
    const status = statuses.find((one) => one.name === name);
    if (status === undefined) unknown.push(name);
    else if (!status.ready) unready.push(name);
  }
  if (unknown.length === 0 && unready.length === 0) return { type, status: 'True' };
  const parts = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${names(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${names(unready)}`] : []),
  ];
  return { type, status: 'False', reason: 'ContainersNotReady', message: parts.join(', ') };
}

function podReady(pod: Pod, containers: Verdict): Verdict {
  if (containers.status !== 'True') return { ...containers, type: 'Ready' };
  const problems: string[] = [];
  for (const gate of pod.spec?.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find((one) => one.type === gate.conditionType);
    if (condition === undefined) {
      problems.push(`corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`);
    } else if (condition.status !== 'True') {
      problems.push(`the status of pod readiness gate "${gate.conditionType}" is not "True", but ${condition.status}`);
    }
  }
  if (problems.length === 0) return { type: 'Ready', status: 'True' };
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: problems.join(', ') };
}

function podInitialized(pod: Pod, inputs: ConditionInputs): Verdict {
  const type = 'Initialized';
  const containers = pod.spec?.initContainers ?? [];
  if (inputs.phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' };
  // Once one of the pod's containers has begun, initialization lies behind it even if a sidecar is restarting.
  const begun = inputs.regular.some(
    (status) => status.state?.running !== undefined || status.state?.terminated !== undefined,
  );
  if (begun && inputs.phase !== 'Failed') return { type, status: 'True' };
  const incomplete = containers
    .filter((container) => {
      const status = inputs.init.find((one) => one.name === container.name);
      return isRestartableInit(container) ? status?.started !== true : status?.ready !== true;
    })
    .map((container) => container.name);
  if (incomplete.length === 0 || (begun && inputs.phase === 'Failed' && containers.length === 0)) {
    return { type, status: 'True' };
  }
  const message = `containers with incomplete status: ${names(incomplete)}`;
  return { type, status: 'False', reason: 'ContainersNotInitialized', message };
}

/** The kubelet's conditions; `lastTransitionTime` is kept where the status did not change. */
export function podConditions(pod: Pod, inputs: ConditionInputs): readonly PodCondition[] {
  const containers = containersReady(pod, inputs);
  const verdicts: Verdict[] = [
    { type: 'PodReadyToStartContainers', status: inputs.sandboxReady ? 'True' : 'False' },
    podInitialized(pod, inputs),
    podReady(pod, containers),
    containers,
    { type: 'PodScheduled', status: 'True' },
  ];
  const generation = pod.metadata?.generation;
  return verdicts.map((verdict) => {
    const old = pod.status?.conditions?.find((condition) => condition.type === verdict.type);
    const unchanged = old?.status === verdict.status && old.lastTransitionTime !== undefined;
    return {
      ...verdict,
      lastTransitionTime: unchanged ? (old.lastTransitionTime ?? '') : apiTime(inputs.nowMs),
      ...(generation !== undefined && { observedGeneration: generation }),
    };
  });
}
