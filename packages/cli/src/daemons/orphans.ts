import { readdirSync, readFileSync } from 'node:fs';
import { bundleFolder } from '../bundles/bundles.ts';
import type { ClusterLayout } from '../cluster/layout.ts';
import { hasCode } from '../failure.ts';
import { identify, type ProcessIdentity } from './process-identity.ts';
import { observeDaemons } from './records.ts';

/**
 * Daemons of this cluster that nobody remembers: the command that started them was killed before it could write down
 * which process they are. They hold ports and data, so they must be ended before others take their place. Found by
 * their command lines, which name the cluster's folder; call it only while holding the cluster's lock.
 */
export function findOrphans(layout: ClusterLayout): readonly ProcessIdentity[] {
  if (process.platform !== 'linux') return [];
  const known = new Set(observeDaemons(layout).map(({ record }) => record.process.pid));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !known.has(Number(name)))
    .filter((name) => isDaemonOf(layout, commandLine(name)))
    .map((name) => identify(Number(name)))
    .filter((identity) => identity !== undefined);
}

export function isDaemonOf(layout: Pick<ClusterLayout, 'folder'>, command: readonly string[]): boolean {
  const runsBundle = command.some((word) => word.includes(`/${bundleFolder}/`) && word.endsWith('/main.mjs'));
  return runsBundle && command.some((word) => word.startsWith('--') && word.includes(`=${layout.folder}/`));
}

function commandLine(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return [];
    throw error;
  }
}
