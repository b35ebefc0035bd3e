// A pod's sandbox: the namespaces its containers share, with an address and the files that name resolution reads.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Pod } from '@wherry/api';
import { formatResolvConf, nodeHostsFile, podHostname, podHostsFile, podResolver } from '../plan/name-resolution.ts';
import { podGraceSeconds } from '../plan/termination.ts';
import type { PodIdentity, SandboxSpec } from '../runtime/port.ts';
import { podPaths } from '../volumes/paths.ts';
import type { PodEnvironment } from './pod-environment.ts';

export interface NewSandbox {
  readonly id: string;
  readonly podIp: string;
}

function sandboxSpec(
  pod: Pod,
  identity: PodIdentity,
  attempt: number,
  ip: string | undefined,
  clusterDomain: string,
): SandboxSpec {
  const { hostname, domain } = podHostname(pod, clusterDomain);
  const fqdn = domain === '' ? hostname : `${hostname}.${domain}`;
  return {
    pod: identity,
    attempt,
    hostname: pod.spec?.setHostnameAsFQDN === true ? fqdn : hostname,
    domain,
    hostNetwork: pod.spec?.hostNetwork === true,
    hostPid: pod.spec?.hostPID === true,
    hostIpc: pod.spec?.hostIPC === true,
    ip,
    sysctls: Object.fromEntries((pod.spec?.securityContext?.sysctls ?? []).map(({ name, value }) => [name, value])),
    graceSeconds: podGraceSeconds(pod),
  };
}

/** Creates, starts and wires a sandbox. What was begun is taken back when a later step fails. */
export async function createSandbox(
  pod: Pod,
  identity: PodIdentity,
  attempt: number,
  environment: PodEnvironment,
): Promise<NewSandbox> {
  const { runtime, network, dns, place } = environment;
  const hostNetwork = pod.spec?.hostNetwork === true;
  const ip = hostNetwork ? undefined : await network.reserve(identity.uid);
  const podIp = ip ?? place.hostIp;
  // The files are ready long before the sandbox is.
  const files = writeNameFiles(pod, podIp, environment);
  files.catch(() => undefined);
  const { id, pid } = await runtime.runSandbox(sandboxSpec(pod, identity, attempt, ip, dns.domain));
  try {
    if (ip !== undefined) await network.attach(pod, { id, pid, ip });
    await files;
  } catch (error) {
    await runtime.remove(id);
    throw error;
  }
  return { id, podIp };
}

async function writeNameFiles(pod: Pod, podIp: string, environment: PodEnvironment): Promise<void> {
  const { place, dns, hostResolver } = environment;
  if (place.rootDirectory === undefined) return;
  const paths = podPaths(place.rootDirectory, pod.metadata?.uid ?? '');
  await mkdir(paths.root, { recursive: true, mode: 0o750 });
  const hosts =
    pod.spec?.hostNetwork === true
      ? nodeHostsFile(pod, await readFile('/etc/hosts', 'utf8'))
      : podHostsFile(pod, podIp, dns.domain);
  const resolver = podResolver(pod, dns, await hostResolver());
  await Promise.all([
    writeFile(paths.etcHosts, hosts, { mode: 0o644 }),
    writeFile(paths.resolvConf, formatResolvConf(resolver), { mode: 0o644 }),
  ]);
}
