// Everything a container is made of, gathered for the runtime. What cannot be resolved is a config error that the pod
// shows until it is resolved.
import { chmod, mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { ConfigMap, Container, Pod, Secret, Service, VolumeMount } from '@wherry/api';
import { cgroupNumbers } from '../plan/cgroup.ts';
import { containerHash } from '../plan/container-hash.ts';
import { ContainerConfigError, containerEnvironment } from '../plan/environment.ts';
import { expand } from '../plan/expand.ts';
import type { NodeAllocatable } from '../plan/resource-ref.ts';
import { effectiveSecurity, nonRootViolation } from '../plan/security.ts';
import { podGraceSeconds } from '../plan/termination.ts';
import type { ContainerSpec, ImageFacts, Mount } from '../runtime/port.ts';
import { podPaths } from '../volumes/paths.ts';
import type { VolumePaths } from '../volumes/pod-volumes.ts';
import type { References } from './references.ts';

/** What pods are told of their node. */
export interface NodePlace {
  readonly hostIp: string;
  /** undefined on hollow nodes, which have no files. */
  readonly rootDirectory: string | undefined;
}

export interface SpecSources {
  readonly place: NodePlace;
  readonly references: References;
  readonly services: () => readonly Service[];
  readonly allocatable: () => NodeAllocatable;
  readonly memoryCapacityBytes: number;
}

export interface ContainerInputs {
  readonly pod: Pod;
  readonly container: Container;
  readonly sandboxId: string;
  readonly podIp: string;
  readonly attempt: number;
  readonly backoffMs: number;
  readonly image: ImageFacts;
  readonly imageReference: string;
  readonly volumes: VolumePaths;
  readonly notOlderThanMs: number;
}

type Objects = { readonly configMaps: ReadonlyMap<string, ConfigMap>; readonly secrets: ReadonlyMap<string, Secret> };

async function referredObjects(inputs: ContainerInputs, references: References): Promise<Objects> {
  const { container, pod, notOlderThanMs } = inputs;
  const namespace = pod.metadata?.namespace ?? 'default';
  const maps = new Set<string>();
  const secrets = new Set<string>();
  for (const from of container.envFrom ?? []) {
    if (from.configMapRef?.name) maps.add(from.configMapRef.name);
    if (from.secretRef?.name) secrets.add(from.secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef?.name) maps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef?.name) secrets.add(valueFrom.secretKeyRef.name);
  }
  const fetched = async <T>(names: ReadonlySet<string>, fetch: (name: string) => Promise<T | undefined>) => {
    const found = await Promise.all([...names].map(async (name) => [name, await fetch(name)] as const));
    return new Map(found.flatMap(([name, object]) => (object === undefined ? [] : [[name, object] as const])));
  };
  return {
    configMaps: await fetched(maps, (name) => references.configMap(namespace, name, notOlderThanMs)),
    secrets: await fetched(secrets, (name) => references.secret(namespace, name, notOlderThanMs)),
  };
}

/** A path inside a volume, links resolved: it must still lie inside, or a pod could reach the node's files. */
async function subPath(volumePath: string, sub: string): Promise<string> {
  const volume = await realpath(volumePath);
  const wanted = join(volume, sub);
  if (wanted !== volume && !wanted.startsWith(volume + sep)) {
    throw new ContainerConfigError(`subPath "${sub}" leads out of its volume`);
  }
  const resolved = await realpath(wanted).catch(async (error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    // Its parents may be links too: make it, then look where it ended up.
    await mkdir(wanted, { recursive: true, mode: 0o755 });
    return realpath(wanted);
  });
  if (resolved !== volume && !resolved.startsWith(volume + sep)) {
    throw new ContainerConfigError(`subPath "${sub}" leads out of its volume`);
  }
  return resolved;
}

const propagations: Readonly<Record<string, Mount['propagation']>> = {
  HostToContainer: 'rslave',
  Bidirectional: 'rshared',
};

async function volumeMount(
  mount: VolumeMount,
  inputs: ContainerInputs,
  lookUp: (name: string) => string | undefined,
): Promise<Mount> {
  const path = inputs.volumes.get(mount.name);
  if (path === undefined)
    throw new ContainerConfigError(
      `cannot find volume "${mount.name}" to mount into container "${inputs.container.name}"`,
    );
  const sub = mount.subPathExpr !== undefined ? expand(mount.subPathExpr, lookUp) : mount.subPath;
  const volume = inputs.pod.spec?.volumes?.find((one) => one.name === mount.name);
  // What the kubelet writes is not the container's to change (upstream).
  const given = volume?.configMap ?? volume?.secret ?? volume?.projected ?? volume?.downwardAPI;
  return {
    hostPath: sub ? await subPath(path, sub) : path,
    containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
    readOnly: mount.readOnly === true || given !== undefined,
    propagation: propagations[mount.mountPropagation ?? ''] ?? 'private',
  };
}

async function ownMounts(rootDirectory: string, inputs: ContainerInputs): Promise<readonly Mount[]> {
  const { pod, container } = inputs;
  const paths = podPaths(rootDirectory, pod.metadata?.uid ?? '');
  const log = paths.terminationLog(container.name, inputs.attempt);
  await mkdir(dirname(log), { recursive: true });
  await writeFile(log, '');
  // Whatever user the container runs as must be able to leave its last words.
  await chmod(log, 0o666);
  const bind = (hostPath: string, containerPath: string): Mount => ({
    hostPath,
    containerPath,
    readOnly: false,
    propagation: 'private',
  });
  const taken = new Set((container.volumeMounts ?? []).map((mount) => mount.mountPath));
  const mounts = [
    bind(paths.etcHosts, '/etc/hosts'),
    bind(paths.resolvConf, '/etc/resolv.conf'),
    bind(log, container.terminationMessagePath ?? '/dev/termination-log'),
  ];
  return mounts.filter((mount) => !taken.has(mount.containerPath));
}

/** @throws ContainerConfigError when the spec cannot be fulfilled as things are */
export async function containerSpec(inputs: ContainerInputs, sources: SpecSources): Promise<ContainerSpec> {
  const { pod, container, image } = inputs;
  const security = effectiveSecurity(pod, container);
  const violation = nonRootViolation(security, image.user);
  if (violation !== undefined) throw new ContainerConfigError(violation);
  const objects = await referredObjects(inputs, sources.references);
  const environment = containerEnvironment(container, {
    pod,
    podIp: inputs.podIp,
    hostIp: sources.place.hostIp,
    allocatable: sources.allocatable(),
    configMap: (name) => objects.configMaps.get(name),
    secret: (name) => objects.secrets.get(name),
    services: sources.services(),
  });
  const lookUp = (name: string) => environment.get(name);
  const volumes =
    sources.place.rootDirectory === undefined
      ? []
      : [
          ...(await ownMounts(sources.place.rootDirectory, inputs)),
          ...(await Promise.all((container.volumeMounts ?? []).map((mount) => volumeMount(mount, inputs, lookUp)))),
        ];
  const { uid = '', name = '', namespace = '' } = pod.metadata ?? {};
  const given = (list: readonly string[] | undefined) =>
    list === undefined || list.length === 0 ? undefined : list.map((text) => expand(text, lookUp));
  return {
    pod: { uid, name, namespace },
    sandboxId: inputs.sandboxId,
    name: container.name,
    attempt: inputs.attempt,
    specHash: containerHash(container),
    backoffMs: inputs.backoffMs,
    graceSeconds: podGraceSeconds(pod),
    image: inputs.imageReference,
    imageId: image.reference,
    command: given(container.command),
    args: given(container.args),
    environment,
    workingDir: container.workingDir,
    mounts: volumes,
    cgroup: cgroupNumbers(pod, container, sources.memoryCapacityBytes),
    security,
    tty: container.tty === true,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    stopSignal: container.lifecycle?.stopSignal,
    processes: pod.spec?.hostPID === true ? 'host' : pod.spec?.shareProcessNamespace === true ? 'pod' : 'own',
    hostIpc: pod.spec?.hostIPC === true,
  };
}
