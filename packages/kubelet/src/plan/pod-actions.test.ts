import type { Container, Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { containerHash } from './container-hash.ts';
import { computePodActions } from './pod-actions.ts';
import { noVerdicts, type ProbeVerdicts } from './probe-verdicts.ts';
import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from './runtime-state.ts';

interface Spec {
  readonly policy?: 'Always' | 'OnFailure' | 'Never';
  readonly containers?: readonly Container[];
  readonly init?: readonly Container[];
  readonly deleted?: boolean;
}

const container = (name: string, more: Partial<Container> = {}): Container => ({ name, image: `${name}:1`, ...more });
const sidecar = (name: string, more: Partial<Container> = {}) => container(name, { restartPolicy: 'Always', ...more });

function pod({
  policy = 'Always',
  containers = [container('a'), container('b')],
  init = [],
  deleted = false,
}: Spec): Pod {
  return {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', ...(deleted && { deletionTimestamp: '2025-01-01T00:00:00Z' }) },
    spec: { restartPolicy: policy, containers, initContainers: init },
  };
}

const sandbox = (more: Partial<RuntimeSandbox> = {}): RuntimeSandbox => ({
  id: 's0',
  podUid: 'u',
  attempt: 0,
  ready: true,
  createdAtMs: 1,
  hostNetwork: false,
  ip: '10.0.0.2',
  ...more,
});

function ran(
  name: string,
  phase: RuntimeContainer['phase'],
  exitCode?: number,
  more: Partial<RuntimeContainer> = {},
): RuntimeContainer {
  return {
    id: `${name}-id`,
    podUid: 'u',
    name,
    attempt: 0,
    specHash: containerHash(container(name)),
    phase,
    createdAtMs: 1,
    image: `${name}:1`,
    imageId: 'i',
    sandboxId: 's0',
    backoffMs: 0,
    graceSeconds: 30,
    ...(exitCode !== undefined && { exitCode }),
    ...more,
  };
}

const runtime = (sandboxes: readonly RuntimeSandbox[], ...containers: RuntimeContainer[]): RuntimePod => ({
  uid: 'u',
  name: 'p',
  namespace: 'ns',
  sandboxes,
  containers,
});

const verdicts = (
  given: Partial<Record<'startup' | 'liveness', Record<string, 'success' | 'failure'>>>,
): ProbeVerdicts => ({
  startup: (id) => given.startup?.[id],
  readiness: () => undefined,
  liveness: (id) => given.liveness?.[id],
});

interface Case {
  readonly name: string;
  readonly pod: Pod;
  readonly runtime: RuntimePod;
  readonly probes?: ProbeVerdicts;
  readonly expected: {
    readonly killPod?: boolean;
    readonly create?: number;
    readonly kill?: readonly string[];
    readonly init?: readonly string[];
    readonly start?: readonly string[];
  };
}

const ready = [sandbox()];
const probe = { periodSeconds: 1 };

const cases: readonly Case[] = [
  {
    name: 'new pod: sandbox and all containers',
    pod: pod({}),
    runtime: runtime([]),
    expected: { killPod: true, create: 0, start: ['a', 'b'] },
  },
  {
    name: 'new pod with init containers: only the first',
    pod: pod({ init: [container('i'), container('j')] }),
    runtime: runtime([]),
    expected: { killPod: true, create: 0, init: ['i'] },
  },
  {
    name: 'all run: nothing',
    pod: pod({}),
    runtime: runtime(ready, ran('a', 'running'), ran('b', 'running')),
    expected: {},
  },
  {
    name: 'one missing: started',
    pod: pod({}),
    runtime: runtime(ready, ran('a', 'running')),
    expected: { start: ['b'] },
  },
  {
    name: 'sandbox died: everything anew with the next attempt',
    pod: pod({}),
    runtime: runtime([sandbox({ ready: false })], ran('a', 'running'), ran('b', 'exited', 1)),
    expected: { killPod: true, create: 1, start: ['a', 'b'] },
  },
  {
    name: 'sandbox died, Never: the pod is over',
    pod: pod({ policy: 'Never' }),
    runtime: runtime([sandbox({ ready: false })], ran('a', 'exited', 0), ran('b', 'exited', 1)),
    expected: { killPod: true },
  },
  {
    name: 'sandbox died before any container, Never: tried again',
    pod: pod({ policy: 'Never' }),
    runtime: runtime([sandbox({ ready: false })]),
    expected: { killPod: true, create: 1, start: ['a', 'b'] },
  },
  {
    name: 'sandbox died, OnFailure: what has succeeded is not run again',
    pod: pod({ policy: 'OnFailure' }),
    runtime: runtime([sandbox({ ready: false })], ran('a', 'exited', 0), ran('b', 'exited', 1)),
    expected: { killPod: true, create: 1, start: ['b'] },
  },
  {
    name: 'two ready sandboxes: a fresh one',
    pod: pod({}),
    runtime: runtime([sandbox({ id: 's1', attempt: 1 }), sandbox()]),
    expected: { killPod: true, create: 2, start: ['a', 'b'] },
  },
  {
    name: 'sandbox without address: a fresh one',
    pod: pod({}),
    runtime: runtime([(({ ip: _, ...rest }) => rest)(sandbox())]),
    expected: { killPod: true, create: 1, start: ['a', 'b'] },
  },
  {
    name: 'Always restarts success',
    pod: pod({}),
    runtime: runtime(ready, ran('a', 'exited', 0), ran('b', 'running')),
    expected: { start: ['a'] },
  },
  {
    name: 'OnFailure restarts failure only',
    pod: pod({ policy: 'OnFailure' }),
    runtime: runtime(ready, ran('a', 'exited', 0), ran('b', 'exited', 2)),
    expected: { start: ['b'] },
  },
  {
    name: 'Never: done when all are done',
    pod: pod({ policy: 'Never' }),
    runtime: runtime(ready, ran('a', 'exited', 0), ran('b', 'exited', 2)),
    expected: { killPod: true },
  },
  {
    name: 'a restart rule beats the policy Never',
    pod: pod({
      policy: 'Never',
      containers: [
        container('a', {
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        }),
      ],
    }),
    runtime: runtime(ready, ran('a', 'exited', 42)),
    expected: { start: ['a'] },
  },
  {
    name: 'another image: killed and started',
    pod: pod({ containers: [container('a', { image: 'a:2' }), container('b')] }),
    runtime: runtime(ready, ran('a', 'running'), ran('b', 'running')),
    expected: { kill: ['Container a definition changed, will be restarted'], start: ['a'] },
  },
  {
    name: 'liveness failed: killed and started',
    pod: pod({}),
    runtime: runtime(ready, ran('a', 'running'), ran('b', 'running')),
    probes: verdicts({ liveness: { 'a-id': 'failure' } }),
    expected: { kill: ['Container a failed liveness probe, will be restarted'], start: ['a'] },
  },
  {
    name: 'liveness failed, Never: killed only',
    pod: pod({ policy: 'Never' }),
    runtime: runtime(ready, ran('a', 'running'), ran('b', 'running')),
    probes: verdicts({ liveness: { 'a-id': 'failure' } }),
    expected: { kill: ['Container a failed liveness probe'] },
  },
  {
    name: 'startup failed: killed and started',
    pod: pod({}),
    runtime: runtime(ready, ran('a', 'running'), ran('b', 'running')),
    probes: verdicts({ startup: { 'b-id': 'failure' } }),
    expected: { kill: ['Container b failed startup probe, will be restarted'], start: ['b'] },
  },
  {
    name: 'init running: wait',
    pod: pod({ init: [container('i')] }),
    runtime: runtime(ready, ran('i', 'running')),
    expected: {},
  },
  {
    name: 'init done: next one',
    pod: pod({ init: [container('i'), container('j')] }),
    runtime: runtime(ready, ran('i', 'exited', 0)),
    expected: { init: ['j'] },
  },
  {
    name: 'last init done: containers',
    pod: pod({ init: [container('i'), container('j')] }),
    runtime: runtime(ready, ran('j', 'exited', 0)),
    expected: { start: ['a', 'b'] },
  },
  {
    name: 'init failed: run again',
    pod: pod({ init: [container('i')] }),
    runtime: runtime(ready, ran('i', 'exited', 1)),
    expected: { init: ['i'] },
  },
  {
    name: 'init failed, Never: the pod failed',
    pod: pod({ policy: 'Never', init: [container('i')] }),
    runtime: runtime(ready, ran('i', 'exited', 1)),
    expected: { killPod: true },
  },
  {
    name: 'init gone from the runtime after its pod began: not run again',
    pod: pod({ init: [container('i')] }),
    runtime: runtime(ready, ran('a', 'running'), ran('b', 'exited', 1)),
    expected: { start: ['b'] },
  },
  {
    name: 'sidecar started: next init container',
    pod: pod({ init: [sidecar('i'), container('j')] }),
    runtime: runtime(ready, ran('i', 'running')),
    expected: { init: ['j'] },
  },
  {
    name: 'sidecar with startup probe: wait for it',
    pod: pod({ init: [sidecar('i', { startupProbe: probe })] }),
    runtime: runtime(ready, ran('i', 'running')),
    expected: {},
  },
  {
    name: 'last sidecar started up: containers',
    pod: pod({ init: [sidecar('i', { startupProbe: probe })] }),
    runtime: runtime(ready, ran('i', 'running')),
    probes: verdicts({ startup: { 'i-id': 'success' } }),
    expected: { start: ['a', 'b'] },
  },
  {
    name: 'sidecar died under a running pod: started again',
    pod: pod({ init: [sidecar('i')] }),
    runtime: runtime(ready, ran('i', 'exited', 0), ran('a', 'running'), ran('b', 'running')),
    expected: { init: ['i'] },
  },
  {
    name: 'sidecar with failed liveness: killed and started',
    pod: pod({ init: [sidecar('i', { livenessProbe: probe })] }),
    runtime: runtime(ready, ran('i', 'running'), ran('a', 'running'), ran('b', 'running')),
    probes: verdicts({ liveness: { 'i-id': 'failure' } }),
    expected: { kill: ['Init container i failed liveness probe'], init: ['i'] },
  },
  {
    name: 'containers done: a sidecar does not keep the pod alive',
    pod: pod({ policy: 'Never', init: [sidecar('i')] }),
    runtime: runtime(ready, ran('i', 'running'), ran('a', 'exited', 0), ran('b', 'exited', 0)),
    expected: { killPod: true },
  },
  {
    name: 'unknown state: killed before the restart',
    pod: pod({}),
    runtime: runtime(ready, ran('a', 'unknown'), ran('b', 'running')),
    expected: { kill: ['Container is in "Unknown" state, try killing it before restart'], start: ['a'] },
  },
];

describe('computePodActions', () => {
  it.each(cases)('$name', ({ pod: spec, runtime: state, probes = noVerdicts, expected }) => {
    const actions = computePodActions(spec, state, probes);
    expect({
      killPod: actions.killPod,
      create: actions.createSandbox ? actions.attempt : undefined,
      kill: actions.kill.map(({ message }) => message),
      init: actions.startInit,
      start: actions.start,
    }).toEqual({ killPod: false, create: undefined, kill: [], init: [], start: [], ...expected });
  });

  it('says why in every plan', () => {
    for (const { pod: spec, runtime: state, probes = noVerdicts } of cases) {
      expect(computePodActions(spec, state, probes).why).not.toBe('');
    }
  });
});
