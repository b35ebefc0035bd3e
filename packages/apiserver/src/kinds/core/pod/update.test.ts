import type { Container, Pod, PodSpec } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { created, subresourceRefusals, updateRefusals } from '../../validation-cases.ts';
import { podStrategy } from './strategy.ts';

const container: Container = { name: 'app', image: 'registry.example/app:1' };

function pod(spec: Partial<PodSpec> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace: 'default' },
    spec: { containers: [container], serviceAccountName: 'default', ...spec },
  };
}

describe('updating a pod', () => {
  const old = created(
    podStrategy,
    pod({ activeDeadlineSeconds: 100, tolerations: [{ key: 'a', operator: 'Exists' }] }),
  );
  const change = (spec: Partial<PodSpec>): Pod => ({ ...old, spec: { containers: [], ...old.spec, ...spec } });

  it('allows images, nearer deadlines, more tolerations and other labels', () => {
    const first = old.spec?.containers[0] ?? container;
    expect(updateRefusals(podStrategy, old, change({ containers: [{ ...first, image: 'b:2' }] }))).toEqual([]);
    expect(updateRefusals(podStrategy, old, change({ activeDeadlineSeconds: 50 }))).toEqual([]);
    const tolerations = [...(old.spec?.tolerations ?? []), { key: 'b', operator: 'Exists' }];
    expect(updateRefusals(podStrategy, old, change({ tolerations }))).toEqual([]);
    expect(updateRefusals(podStrategy, old, { ...old, metadata: { ...old.metadata, labels: { a: 'b' } } })).toEqual([]);
  });

  it('says what may not change, and what was changed', () => {
    expect(updateRefusals(podStrategy, old, change({ nodeName: 'other' }))).toEqual([
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\nnodeName: (none) -> "other"',
    ]);
  });

  it('refuses later deadlines, other containers and lost tolerations', () => {
    expect(updateRefusals(podStrategy, old, change({ activeDeadlineSeconds: 200 }))).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value',
    ]);
    const containers = [...(old.spec?.containers ?? []), { ...old.spec?.containers[0], name: 'b' }] as Container[];
    expect(updateRefusals(podStrategy, old, change({ containers }))).toEqual([
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ]);
    expect(updateRefusals(podStrategy, old, change({ tolerations: [] }))[0]).toBe(
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    );
  });

  it('lets gates go and placement narrow while gated', () => {
    const gated = created(podStrategy, pod({ schedulingGates: [{ name: 'example.com/g' }] }));
    const next = {
      ...gated,
      spec: { ...gated.spec, containers: gated.spec?.containers ?? [], nodeSelector: { a: 'b' } },
    };
    expect(updateRefusals(podStrategy, gated, next)).toEqual([]);
    const { schedulingGates: _gates, ...open } = next.spec;
    expect(updateRefusals(podStrategy, gated, { ...gated, spec: open })).toEqual([]);
    expect(updateRefusals(podStrategy, created(podStrategy, pod()), { ...next, spec: { ...open } })[0]).toContain(
      'spec: Forbidden: pod updates may not change fields',
    );
  });

  it('adds ephemeral containers, and only them, through their subresource', () => {
    const debug = { name: 'debug', image: 'd', terminationMessagePolicy: 'File', imagePullPolicy: 'Always' };
    const running = created(podStrategy, pod());
    const next = { ...running, spec: { containers: [], ...running.spec, ephemeralContainers: [debug] } };
    expect(subresourceRefusals(podStrategy, 'ephemeralcontainers', running, next)).toEqual([]);
    expect(subresourceRefusals(podStrategy, 'ephemeralcontainers', next, running)).toEqual([
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
    ]);
    const withPorts = {
      ...next,
      spec: { ...next.spec, ephemeralContainers: [{ ...debug, ports: [{ containerPort: 1, protocol: 'TCP' }] }] },
    };
    expect(subresourceRefusals(podStrategy, 'ephemeralcontainers', running, withPorts)).toEqual([
      'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
    ]);
  });

  it('refuses a status in which a finished container runs again', () => {
    const never = created(podStrategy, pod({ restartPolicy: 'Never' }));
    const status = (state: object): Pod =>
      ({
        ...never,
        status: {
          phase: 'Running',
          containerStatuses: [{ name: 'app', image: 'i', imageID: '', ready: false, restartCount: 0, state }],
        },
      }) as Pod;
    expect(
      subresourceRefusals(podStrategy, 'status', status({ terminated: { exitCode: 1 } }), status({ running: {} })),
    ).toEqual(['status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state']);
  });
});
