import type { Container, ObjectMeta, PodSpec } from '@wherry/api';
import { describe, expect, it } from 'vitest';
import { detailText, podFindings } from './checks.ts';
import type { LevelVersion } from './policy.ts';

const good: Container = {
  name: 'c',
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  },
};
const restricted: LevelVersion = { level: 'restricted', version: 'latest' };
const baseline: LevelVersion = { level: 'baseline', version: 'latest' };
const spec = (more: Partial<PodSpec> = {}): PodSpec => ({ containers: [good], ...more });
/** A container that is good but for this. */
const but = (security: object, more: Partial<Container> = {}): Partial<PodSpec> => ({
  containers: [{ ...good, ...more, securityContext: { ...good.securityContext, ...security } }],
});
const told = (policy: LevelVersion, pod: PodSpec, metadata: ObjectMeta = {}): string =>
  detailText(podFindings(policy, pod, metadata));

it('a good pod violates nothing, a plain one all of restricted in upstream words', () => {
  expect(told(restricted, spec())).toBe('');
  expect(told(baseline, { containers: [{ name: 'c' }] })).toBe('');
  expect(told({ level: 'privileged', version: 'latest' }, spec({ hostPID: true }))).toBe('');
  expect(told(restricted, { containers: [{ name: 'c' }] })).toBe(
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
      'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ' +
      'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
      'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  );
});

const profile = (type: string) => ({ type });
const volume = (more: object) => spec({ volumes: [{ name: 'v', ...more }] });

describe('baseline forbids', () => {
  it.each<readonly [string, PodSpec, string]>([
    [
      'AppArmor profiles',
      spec(but({ appArmorProfile: profile('Unconfined') })),
      'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
    ],
    [
      'AppArmor of the pod',
      spec({ securityContext: { appArmorProfile: profile('Unconfined') } }),
      'forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")',
    ],
    [
      'capabilities',
      spec(but({ capabilities: { add: ['SYS_ADMIN', 'NET_RAW', 'CHOWN'] } })),
      'non-default capabilities (container "c" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    ['host namespaces', spec({ hostNetwork: true, hostIPC: true }), 'host namespaces (hostNetwork=true, hostIPC=true)'],
    ['hostPath volumes', volume({ hostPath: { path: '/' } }), 'hostPath volumes (volume "v")'],
    [
      'host ports',
      spec(
        but(
          {},
          {
            ports: [
              { containerPort: 80, hostPort: 8080 },
              { containerPort: 81, hostPort: 90 },
            ],
          },
        ),
      ),
      'hostPort (container "c" uses hostPorts 8080, 90)',
    ],
    [
      'hosts of probes',
      spec(but({}, { livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } })),
      'probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")',
    ],
    [
      'hosts of lifecycle handlers',
      spec(but({}, { lifecycle: { preStop: { tcpSocket: { port: 80, host: 'h' } } } })),
      'probe or lifecycle host (container "c" uses probe or lifecycle host "h")',
    ],
    [
      'privileged containers',
      spec(but({ privileged: true })),
      'privileged (container "c" must not set securityContext.privileged=true)',
    ],
    [
      'proc mounts',
      spec(but({ procMount: 'Unmasked' })),
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'SELinux types',
      spec({ securityContext: { seLinuxOptions: { type: 't', user: 'u', role: 'r' } } }),
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "t"; user may not be set; role may not be set)',
    ],
    [
      'seccomp profiles',
      spec(but({ seccompProfile: profile('Unconfined') })),
      'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'sysctls',
      spec({
        securityContext: {
          sysctls: [
            { name: 'kernel.msgmax', value: '1' },
            { name: 'net.ipv4.tcp_rmem', value: '1' },
          ],
        },
      }),
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      'host processes',
      spec({
        ...but({ windowsOptions: { hostProcess: true } }),
        securityContext: { windowsOptions: { hostProcess: true } },
      }),
      'hostProcess (pod and container "c" must not set securityContext.windowsOptions.hostProcess=true)',
    ],
  ])('%s', (_, pod, expected) => {
    expect(told(baseline, pod)).toBe(expected);
  });

  it('annotations of AppArmor', () => {
    const annotations = { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' };
    expect(told(baseline, spec(), { annotations })).toBe(
      'forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/c="unconfined"")',
    );
  });
});

describe('baseline allows', () => {
  it.each<readonly [string, PodSpec]>([
    ['its AppArmor profiles', spec(but({ appArmorProfile: profile('Localhost') }))],
    ['default capabilities', spec(but({ capabilities: { add: ['CHOWN', 'NET_BIND_SERVICE'] } }))],
    ['hostPort 0', spec(but({}, { ports: [{ containerPort: 80, hostPort: 0 }] }))],
    ['probes of the pod itself', spec(but({}, { livenessProbe: { httpGet: { port: 80, host: '' } } }))],
    [
      'the engine type of SELinux',
      spec({ securityContext: { seLinuxOptions: { type: 'container_engine_t', level: 's0' } } }),
    ],
    ['safe sysctls', spec({ securityContext: { sysctls: [{ name: 'net.ipv4.tcp_wmem', value: '1' }] } })],
    ['proc mounts of pods with users of their own', spec({ ...but({ procMount: 'Unmasked' }), hostUsers: false })],
  ])('%s', (_, pod) => {
    expect(told(baseline, pod)).toBe('');
  });
});

describe('restricted forbids', () => {
  it.each<readonly [string, PodSpec, string]>([
    [
      'privilege escalation',
      spec(but({ allowPrivilegeEscalation: true })),
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
    ],
    [
      'capabilities',
      spec(but({ capabilities: { drop: ['ALL'], add: ['CHOWN', 'NET_BIND_SERVICE'] } })),
      'unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [
      'volumes',
      spec({
        volumes: [
          { name: 'a', hostPath: { path: '/' } },
          { name: 'b', nfs: { path: '/', server: 's' } },
        ],
      }),
      'restricted volume types (volumes "a", "b" use restricted volume types "hostPath", "nfs")',
    ],
    [
      'root',
      spec(but({ runAsNonRoot: false })),
      'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)',
    ],
    ['user 0', spec({ securityContext: { runAsUser: 0 } }), 'runAsUser=0 (pod must not set runAsUser=0)'],
    [
      'seccomp',
      spec({ securityContext: { seccompProfile: profile('Unconfined') } }),
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'init and ephemeral containers',
      spec({
        initContainers: [
          { ...good, name: 'i', securityContext: { ...good.securityContext, allowPrivilegeEscalation: true } },
        ],
        ephemeralContainers: [{ ...good, name: 'e', securityContext: {} }],
      }),
      'allowPrivilegeEscalation != false (containers "i", "e" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "e" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "e" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "e" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
  ])('%s', (_, pod, expected) => {
    expect(told(restricted, pod)).toBe(expected);
  });
});

describe('restricted allows', () => {
  it.each<readonly [string, PodSpec]>([
    [
      'what the pod says for all',
      {
        containers: [
          { ...good, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
        ],
        securityContext: { runAsNonRoot: true, seccompProfile: profile('Localhost') },
      },
    ],
    ['ordinary volumes', volume({ configMap: { name: 'm' } })],
    [
      'Windows pods their own ways',
      { os: { name: 'windows' }, containers: [{ name: 'c', securityContext: { runAsNonRoot: true } }] },
    ],
    ['root in user namespaces', spec({ ...but({ runAsNonRoot: false, runAsUser: 0 }), hostUsers: false })],
  ])('%s', (_, pod) => {
    expect(told(restricted, pod)).toBe('');
  });
});

it('versions have the checks of their time', () => {
  const at = (version: number, pod: PodSpec, metadata?: ObjectMeta) =>
    told({ level: 'restricted', version }, pod, metadata);
  const plain: PodSpec = { containers: [{ name: 'c' }] };
  expect(at(7, plain)).toMatch(/^runAsNonRoot != true \(.*\)$/);
  expect(at(21, plain)).not.toContain('capabilities');
  expect(at(33, spec(but({}, { livenessProbe: { httpGet: { port: 80, host: 'h' } } })))).toBe('');
  expect(at(30, spec({ securityContext: { seLinuxOptions: { type: 'container_engine_t' } } }))).toContain(
    'container_engine_t',
  );
  expect(
    at(28, spec({ securityContext: { sysctls: [{ name: 'net.ipv4.tcp_keepalive_time', value: '1' }] } })),
  ).toContain('forbidden sysctls');
  const annotations = { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' };
  expect(at(18, spec(), { annotations })).toBe(
    'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
  );
  expect(at(99, plain)).toBe(told(restricted, plain));
});
