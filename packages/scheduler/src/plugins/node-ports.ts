import { type FilterPlugin, type Refusal, SKIP } from '../framework/plugin.ts';
import type { HostPort } from '../framework/pod-info.ts';

const REFUSAL: Refusal = {
  plugin: 'NodePorts',
  reasons: ["node(s) didn't have free ports for the requested pod ports"],
  resolvable: true,
};

const ANY = '0.0.0.0';

export const nodePorts: FilterPlugin = {
  name: 'NodePorts',
  prepare(pod, { table }) {
    if (pod.hostPorts.length === 0) return SKIP;
    return {
      kind: 'check',
      check(row) {
        const used = table.hostPorts[row];
        if (used === undefined || used.size === 0) return undefined;
        return pod.hostPorts.some((port) => isTaken(port, used)) ? REFUSAL : undefined;
      },
    };
  },
  mayHelp(event, pod) {
    if (event.kind === 'node-added') return true;
    return (
      event.kind === 'pod-left' && event.pod.hostPorts.some((left) => pod.hostPorts.some((own) => conflicts(left, own)))
    );
  },
};

/** Taken on the same address, or when either side means every address. */
function isTaken({ protocol, port, ip }: HostPort, used: ReadonlyMap<string, number>): boolean {
  const prefix = `${protocol}/${port}/`;
  if (ip !== ANY) return used.has(prefix + ip) || used.has(prefix + ANY);
  for (const key of used.keys()) if (key.startsWith(prefix)) return true;
  return false;
}

function conflicts(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY || b.ip === ANY);
}
