import type { Container, Pod } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { cgroupNumbers } from './cgroup.ts';
import { oomScoreAdjust, qosClass } from './qos.ts';
import { effectiveSecurity, nonRootViolation } from './security.ts';

type Amounts = Readonly<Record<string, string>>;
const container = (requests?: Amounts, limits?: Amounts): Container => ({
  name: 'c',
  resources: { ...(requests && { requests }), ...(limits && { limits }) },
});
const pod = (...containers: Container[]): Pod => ({ spec: { containers } });
const memoryBytes = 4 * 1024 ** 3;

describe('qosClass', () => {
  it.each([
    ['BestEffort', [container()]],
    ['Guaranteed', [container({ cpu: '1', memory: '1Gi' }, { cpu: '1000m', memory: '1024Mi' })]],
    ['Guaranteed', [container(undefined, { cpu: '1', memory: '1Gi' })]],
    ['Burstable', [container({ cpu: '1' })]],
    ['Burstable', [container({ cpu: '1', memory: '1Gi' }, { cpu: '2', memory: '1Gi' })]],
    ['Burstable', [container(undefined, { cpu: '1', memory: '1Gi' }), container()]],
    ['BestEffort', [container({ cpu: '0' })]],
  ] as const)('%s (%#)', (expected, containers) => {
    expect(qosClass(pod(...containers))).toBe(expected);
  });
});

describe('oomScoreAdjust', () => {
  it('spares those who asked for memory', () => {
    const score = (one: Container) => oomScoreAdjust(pod(one), one, memoryBytes);
    expect(score(container())).toBe(1000);
    expect(score(container(undefined, { cpu: '1', memory: '1Gi' }))).toBe(-997);
    expect(score(container({ memory: '1Gi' }))).toBe(750);
    expect(score(container({ memory: '4Gi' }))).toBe(3);
    expect(score(container({ cpu: '1m' }))).toBe(999);
  });
});

describe('cgroupNumbers', () => {
  it.each([
    [container(), { cpuShares: 2, cpuQuotaMicros: 0, memoryBytes: 0 }],
    [container({ cpu: '500m' }), { cpuShares: 512, cpuQuotaMicros: 0 }],
    [
      container(undefined, { cpu: '250m', memory: '64Mi' }),
      { cpuShares: 256, cpuQuotaMicros: 25_000, memoryBytes: 64 << 20 },
    ],
    [container({ cpu: '1m' }, { cpu: '5m' }), { cpuShares: 2, cpuQuotaMicros: 1_000 }],
    [container({ cpu: '1000' }), { cpuShares: 262_144 }],
  ])('%#', (one, expected) => {
    expect(cgroupNumbers(pod(one), one, memoryBytes)).toMatchObject(expected);
  });
});

describe('security', () => {
  it('prefers the container’s settings to the pod’s', () => {
    const one: Container = { name: 'c', securityContext: { runAsUser: 5, allowPrivilegeEscalation: false } };
    const both: Pod = {
      spec: {
        containers: [one],
        securityContext: { runAsUser: 1, runAsGroup: 2, fsGroup: 3, supplementalGroups: [4, 3] },
      },
    };
    expect(effectiveSecurity(both, one)).toMatchObject({
      user: 5,
      group: 2,
      supplementalGroups: [4, 3],
      noNewPrivileges: true,
    });
  });

  it.each([
    [{ runAsNonRoot: true }, '', 'container has runAsNonRoot and image will run as root'],
    [
      { runAsNonRoot: true },
      'web',
      'container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root',
    ],
    [{ runAsNonRoot: true }, '1000:1000', undefined],
    [{ runAsNonRoot: true, runAsUser: 0 }, '1000', "container's runAsUser breaks non-root policy"],
    [{ runAsNonRoot: true, runAsUser: 7 }, '', undefined],
    [{}, '', undefined],
  ])('checks runAsNonRoot (%#)', (securityContext, imageUser, expected) => {
    const one: Container = { name: 'c', securityContext };
    expect(nonRootViolation(effectiveSecurity(pod(one), one), imageUser)).toBe(expected);
  });
});
