import { existsSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Context } from '../context.ts';
import { hasCode } from '../failure.ts';
import { type Capability, capabilityNames, missingCapabilities } from './capabilities.ts';

/** What this machine is and has, as far as a Docker engine is concerned. */
export interface HostFacts {
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  /** For example "6.1.0-18-amd64". */
  readonly kernel: string;
  readonly missingCapabilities: readonly Capability[];
  /** Whether apt-get can install packages here. */
  readonly hasApt: boolean;
  readonly hasSystemd: boolean;
  /** Programs of `neededPrograms` that are not on the PATH. */
  readonly missingPrograms: readonly string[];
}

/** What virtual nodes need on the host, and the Debian package that brings it. */
export const neededPrograms: Readonly<Record<string, string>> = {
  dockerd: 'docker.io',
  nsenter: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
};

export function readHostFacts(context: Context): HostFacts {
  return {
    platform: context.platform,
    isRoot: context.userId === 0,
    kernel: release(),
    missingCapabilities:
      context.platform === 'linux' ? missingCapabilities(readFileSync('/proc/self/status', 'utf8')) : capabilityNames,
    hasApt: existsSync('/usr/bin/apt-get'),
    hasSystemd: existsSync('/run/systemd/system'),
    missingPrograms: Object.keys(neededPrograms).filter(
      (name) => findProgram(name, context.environment['PATH']) === undefined,
    ),
  };
}

/** Folders of administrators' programs, which a user's PATH often lacks. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export function findProgram(name: string, path = ''): string | undefined {
  return [...path.split(delimiter), ...systemFolders].map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.isFile() === true && (found.mode & 0o111) !== 0;
  } catch (error) {
    if (hasCode(error, 'ENOTDIR') || hasCode(error, 'EACCES')) return false;
    throw error;
  }
}
