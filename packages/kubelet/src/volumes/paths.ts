// Where a pod's files lie, in upstream's layout.
import { join } from 'node:path';

export interface PodPaths {
  readonly root: string;
  readonly etcHosts: string;
  readonly resolvConf: string;
  volume(plugin: string, name: string): string;
  terminationLog(container: string, attempt: number): string;
}

export function podsRoot(rootDirectory: string): string {
  return join(rootDirectory, 'pods');
}

export function podPaths(rootDirectory: string, podUid: string): PodPaths {
  const root = join(podsRoot(rootDirectory), podUid);
  return {
    root,
    etcHosts: join(root, 'etc-hosts'),
    resolvConf: join(root, 'resolv.conf'),
    volume: (plugin, name) => join(root, 'volumes', `kubernetes.io~${plugin}`, name),
    terminationLog: (container, attempt) => join(root, 'containers', container, String(attempt)),
  };
}

/** Volumes that hold secrets lie in memory, below one tmpfs of the kubelet's. */
export function secretRoot(rootDirectory: string): string {
  return join(rootDirectory, 'memory');
}
