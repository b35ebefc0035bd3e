// What the kubelet wants, in the words of Docker's create call.
import type { ContainerCreateOptions } from 'dockerode';
import type { ContainerSpec, Mount, SandboxSpec } from '../port.ts';
import { containerLabels, type Ownership, sandboxLabels } from './labels.ts';

export interface NodeSettings {
  readonly owner: Ownership;
  /** Container whose network namespace is the node's; undefined when the node is the host itself. */
  readonly anchor: string | undefined;
  readonly sandboxImage: string;
  /** False where the kernel forbids it (no CAP_SYS_RESOURCE): then no score below 0 is asked for. */
  readonly negativeOomScores: boolean;
}

/** A sandbox is the last process of its pod that the kernel should kill (upstream's number). */
const sandboxOomScoreAdj = -998;
/** Upstream's containerLogMaxSize and containerLogMaxFiles. */
const logConfig = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '5' } };

function oomScore(settings: NodeSettings, wanted: number): number {
  return settings.negativeOomScores ? wanted : Math.max(0, wanted);
}

/** Docker's names allow fewer characters than a pod may have, but all of those that Kubernetes names have. */
export function containerName(name: string, spec: SandboxSpec | ContainerSpec): string {
  return `k8s_${name}_${spec.pod.name}_${spec.pod.namespace}_${spec.pod.uid}_${spec.attempt}`;
}

export function sandboxOptions(settings: NodeSettings, spec: SandboxSpec): ContainerCreateOptions {
  const nodeNetwork = settings.anchor === undefined ? 'host' : `container:${settings.anchor}`;
  const joinsAnchor = spec.hostNetwork && settings.anchor !== undefined;
  return {
    name: containerName('POD', spec),
    Image: settings.sandboxImage,
    // A container in another's network namespace takes that one's host name and may not have its own.
    ...(!spec.hostNetwork && { Hostname: spec.hostname, ...(spec.domain !== '' && { Domainname: spec.domain }) }),
    Labels: { ...sandboxLabels(settings.owner, spec) },
    NetworkDisabled: false,
    HostConfig: {
      NetworkMode: spec.hostNetwork ? nodeNetwork : 'none',
      IpcMode: spec.hostIpc ? 'host' : 'shareable',
      ...(spec.hostPid && { PidMode: 'host' }),
      OomScoreAdj: oomScore(settings, sandboxOomScoreAdj),
      CpuShares: 2,
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'],
      ...(!joinsAnchor && { Sysctls: { ...spec.sysctls } }),
    },
  };
}

function bindText(mount: Mount): string {
  const options = [mount.readOnly ? 'ro' : 'rw', ...(mount.propagation === 'private' ? [] : [mount.propagation])];
  return `${mount.hostPath}:${mount.containerPath}:${options.join(',')}`;
}

function userText(spec: ContainerSpec): string | undefined {
  const { user, group } = spec.security;
  if (user === undefined && group === undefined) return undefined;
  return group === undefined ? String(user) : `${user ?? 0}:${group}`;
}

function securityOptions(spec: ContainerSpec): string[] {
  const options: string[] = [];
  if (spec.security.noNewPrivileges) options.push('no-new-privileges');
  if (spec.security.seccomp === 'unconfined') options.push('seccomp=unconfined');
  return options;
}

/** Docker spells capabilities without the kernel's prefix. */
function capabilities(names: readonly string[]): string[] {
  return names.map((name) => name.replace(/^CAP_/, ''));
}

function processNamespace(spec: ContainerSpec): string {
  if (spec.processes === 'host') return 'host';
  return spec.processes === 'pod' ? `container:${spec.sandboxId}` : '';
}

export function containerOptions(settings: NodeSettings, spec: ContainerSpec): ContainerCreateOptions {
  const { security, cgroup } = spec;
  const user = userText(spec);
  const pidMode = processNamespace(spec);
  return {
    name: containerName(spec.name, spec),
    Image: spec.image,
    ...(spec.command !== undefined && { Entrypoint: [...spec.command] }),
    ...(spec.args !== undefined && { Cmd: [...spec.args] }),
    Env: [...spec.environment].map(([name, value]) => `${name}=${value}`),
    ...(spec.workingDir !== undefined && { WorkingDir: spec.workingDir }),
    ...(user !== undefined && { User: user }),
    Labels: { ...containerLabels(settings.owner, spec) },
    Tty: spec.tty,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdinOnce,
    ...(spec.stopSignal !== undefined && { StopSignal: spec.stopSignal }),
    // The image's own health check is Docker's affair; Kubernetes has probes.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: {
      NetworkMode: `container:${spec.sandboxId}`,
      IpcMode: spec.hostIpc ? 'host' : `container:${spec.sandboxId}`,
      ...(pidMode !== '' && { PidMode: pidMode }),
      Binds: spec.mounts.map(bindText),
      CpuShares: cgroup.cpuShares,
      ...(cgroup.cpuQuotaMicros > 0 && { CpuQuota: cgroup.cpuQuotaMicros, CpuPeriod: cgroup.cpuPeriodMicros }),
      // The same for memory with swap: none.
      ...(cgroup.memoryBytes > 0 && { Memory: cgroup.memoryBytes, MemorySwap: cgroup.memoryBytes }),
      OomScoreAdj: oomScore(settings, cgroup.oomScoreAdj),
      Privileged: security.privileged,
      ReadonlyRootfs: security.readOnlyRoot,
      CapAdd: capabilities(security.addCapabilities),
      CapDrop: capabilities(security.dropCapabilities),
      GroupAdd: security.supplementalGroups.map(String),
      SecurityOpt: securityOptions(spec),
      LogConfig: logConfig,
      RestartPolicy: { Name: 'no' },
    },
  };
}
