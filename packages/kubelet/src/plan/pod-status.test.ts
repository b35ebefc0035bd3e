import type { Container, Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import type { StartFailure } from './container-status.ts';
import { type PodStatusInputs, podStatus, sameJson, statusPatch } from './pod-status.ts';
import { noVerdicts } from './probe-verdicts.ts';
import type { RuntimeContainer, RuntimePod } from './runtime-state.ts';

const nowMs = Date.UTC(2025, 0, 1, 12);
const container = (name: string, more: Partial<Container> = {}): Container => ({ name, image: 'x:1', ...more });

function pod(more: Partial<NonNullable<Pod['spec']>> = {}, status: Pod['status'] = {}): Pod {
  return {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', generation: 3 },
    spec: { containers: [container('c')], ...more },
    status,
  };
}

function ran(name: string, phase: RuntimeContainer['phase'], more: Partial<RuntimeContainer> = {}): RuntimeContainer {
  const base = {
    podUid: 'u',
    name,
    attempt: 0,
    specHash: '',
    image: 'x:1',
    imageId: 'sha256:1',
    sandboxId: 's',
    backoffMs: 0,
    graceSeconds: 30,
  };
  return {
    id: `${name}${more.attempt ?? 0}`,
    ...base,
    phase,
    createdAtMs: nowMs - 5000,
    startedAtMs: nowMs - 4000,
    ...more,
  };
}

function runtime(...containers: RuntimeContainer[]): RuntimePod {
  const sandbox = { id: 's', podUid: 'u', attempt: 0, ready: true, createdAtMs: 0, hostNetwork: false, ip: '10.0.0.9' };
  return { uid: 'u', name: 'p', namespace: 'ns', sandboxes: containers.length > 0 ? [sandbox] : [], containers };
}

function status(spec: Pod, state: RuntimePod, more: Partial<PodStatusInputs> = {}) {
  return podStatus(spec, {
    runtimeName: 'docker',
    runtime: state,
    probes: noVerdicts,
    startFailures: new Map(),
    terminal: false,
    hostIp: '192.0.2.1',
    nowMs,
    ...more,
  });
}

const failures = (name: string, failure: StartFailure) => new Map([[name, failure]]);

describe('podStatus', () => {
  it('shows a pod that has not begun as Pending, its containers as ContainerCreating', () => {
    const shown = status(pod(), runtime());
    expect(shown.phase).toBe('Pending');
    expect(shown.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
    const ready = shown.conditions?.find(({ type }) => type === 'Ready');
    expect(ready).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [c]',
      observedGeneration: 3,
    });
    expect(shown.podIP).toBeUndefined();
  });

  it('shows containers behind init containers as PodInitializing', () => {
    const shown = status(pod({ initContainers: [container('i')] }), runtime(ran('i', 'running')));
    expect(shown.phase).toBe('Pending');
    expect(shown.containerStatuses?.[0]?.state?.waiting?.reason).toBe('PodInitializing');
    expect(shown.conditions?.find(({ type }) => type === 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [i]',
    });
  });

  it('is Running and Ready once the container runs and has no probe', () => {
    const shown = status(pod(), runtime(ran('c', 'running')));
    expect(shown).toMatchObject({ phase: 'Running', podIP: '10.0.0.9', hostIP: '192.0.2.1', qosClass: 'BestEffort' });
    expect(shown.containerStatuses?.[0]).toMatchObject({
      ready: true,
      started: true,
      restartCount: 0,
      containerID: 'docker://c0',
    });
    expect(shown.conditions?.every((condition) => condition.status === 'True')).toBe(true);
  });

  it('is not ready before its readiness probe has passed', () => {
    const spec = pod({ containers: [container('c', { readinessProbe: {} })] });
    expect(status(spec, runtime(ran('c', 'running'))).containerStatuses?.[0]).toMatchObject({
      ready: false,
      started: true,
    });
    const probes = { ...noVerdicts, readiness: () => 'success' as const };
    expect(status(spec, runtime(ran('c', 'running')), { probes }).containerStatuses?.[0]?.ready).toBe(true);
  });

  it('is not started before its startup probe has passed, whatever readiness says', () => {
    const spec = pod({ containers: [container('c', { readinessProbe: {}, startupProbe: {} })] });
    const probes = { ...noVerdicts, readiness: () => 'success' as const };
    expect(status(spec, runtime(ran('c', 'running')), { probes }).containerStatuses?.[0]).toMatchObject({
      ready: false,
      started: false,
    });
  });

  it('shows a crash loop as waiting, with the last run and the count of restarts', () => {
    const dead = ran('c', 'exited', { attempt: 2, exitCode: 3, reason: 'Error', finishedAtMs: nowMs });
    const failure = { reason: 'CrashLoopBackOff', message: 'back-off 20s restarting failed container=c pod=p_ns(u)' };
    const shown = status(pod(), runtime(dead), { startFailures: failures('c', failure) });
    expect(shown.phase).toBe('Running');
    expect(shown.containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      ready: false,
      state: { waiting: failure },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
  });

  it('keeps showing the end of a container that will not be restarted', () => {
    const dead = ran('c', 'exited', { exitCode: 137, reason: 'OOMKilled', finishedAtMs: nowMs });
    const shown = status(pod({ restartPolicy: 'Never' }), runtime(dead));
    expect(shown.phase).toBe('Failed');
    expect(shown.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  it('succeeds when all containers did and none is restarted', () => {
    const done = ran('c', 'exited', { exitCode: 0, reason: 'Completed', finishedAtMs: nowMs });
    const shown = status(pod({ restartPolicy: 'OnFailure' }), runtime(done));
    expect(shown.phase).toBe('Succeeded');
    expect(shown.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'PodCompleted',
    });
  });

  it('fails when an init container failed for good', () => {
    const dead = ran('i', 'exited', { exitCode: 1, reason: 'Error', finishedAtMs: nowMs });
    expect(status(pod({ restartPolicy: 'Never', initContainers: [container('i')] }), runtime(dead)).phase).toBe(
      'Failed',
    );
  });

  it('is Failed or Succeeded by exit codes once terminal, whatever the restart policy', () => {
    const end = (exitCode: number) =>
      status(pod(), runtime(ran('c', 'exited', { exitCode, finishedAtMs: nowMs })), { terminal: true }).phase;
    expect([end(0), end(143)]).toEqual(['Succeeded', 'Failed']);
  });

  it('does not take a final phase back', () => {
    expect(status(pod({}, { phase: 'Failed' }), runtime(ran('c', 'running'))).phase).toBe('Failed');
  });

  it('calls a running container that vanished lost, and counts the restart', () => {
    const old = {
      name: 'c',
      image: 'x:1',
      imageID: '',
      ready: true,
      restartCount: 1,
      state: { running: { startedAt: '' } },
    };
    const shown = status(pod({}, { containerStatuses: [old] }), runtime());
    expect(shown.containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      lastState: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } },
    });
  });

  it('keeps the time of a condition that did not change', () => {
    const before = '2024-01-01T00:00:00Z';
    const known = { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: before }] };
    const shown = status(pod({}, known), runtime(ran('c', 'running')));
    expect(shown.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime).toBe(before);
    expect(shown.conditions?.find(({ type }) => type === 'ContainersReady')?.lastTransitionTime).toBe(
      '2025-01-01T12:00:00Z',
    );
  });

  it('waits for readiness gates', () => {
    const spec = { readinessGates: [{ conditionType: 'example.com/gate' }] };
    const ready = (given: Pod['status']) =>
      status(pod(spec, given), runtime(ran('c', 'running'))).conditions?.find(({ type }) => type === 'Ready');
    expect(ready({})).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message: 'corresponding condition of pod readiness gate "example.com/gate" does not exist.',
    });
    expect(ready({ conditions: [{ type: 'example.com/gate', status: 'True' }] })?.status).toBe('True');
  });

  it('shows the kubelet’s own verdict', () => {
    const verdict = { reason: 'DeadlineExceeded', message: 'too long' };
    const dead = ran('c', 'exited', { exitCode: 137, finishedAtMs: nowMs });
    expect(status(pod(), runtime(dead), { verdict, terminal: true })).toMatchObject({ phase: 'Failed', ...verdict });
  });
});

describe('statusPatch', () => {
  it('takes the old address out when a new sandbox has another', () => {
    const old = { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }], hostIPs: [{ ip: '1.1.1.1' }] };
    const next = { podIP: '10.0.0.3', podIPs: [{ ip: '10.0.0.3' }], hostIPs: [{ ip: '1.1.1.1' }] };
    expect(statusPatch(old, next)).toEqual({
      podIP: '10.0.0.3',
      podIPs: [{ ip: '10.0.0.2', $patch: 'delete' }, { ip: '10.0.0.3' }],
    });
  });

  it('is nothing when nothing changed', () => {
    const shown = status(pod(), runtime(ran('c', 'running')));
    expect(statusPatch({ ...shown, nominatedNodeName: 'n' }, shown)).toBeUndefined();
  });

  it('names changed fields and conditions only, and takes back a reason that is gone', () => {
    const old = {
      phase: 'Pending',
      conditions: [
        { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm' },
        { type: 'Initialized', status: 'True' },
      ],
    };
    const next = {
      phase: 'Running',
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Initialized', status: 'True' },
      ],
    };
    expect(statusPatch(old, next)).toEqual({
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }],
    });
  });
});

describe('sameJson', () => {
  it('ignores the order of keys and absent values', () => {
    expect(sameJson({ a: 1, b: [{ c: 2 }] }, { b: [{ c: 2 }], a: 1, d: undefined })).toBe(true);
    expect(sameJson({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
    expect(sameJson([], {})).toBe(false);
  });
});
