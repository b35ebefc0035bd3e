// What this machine is and how it does, read from the kernel.
import { readFile, statfs } from 'node:fs/promises';
import { arch, cpus, release, totalmem } from 'node:os';
import type { NodeSystemInfo } from '@wherry/api';
import type { NodeFacts } from '../plan/node-conditions.ts';

export const kubeletVersion = 'v1.35.0';

export interface HostCapacity {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

async function readOr(path: string, fallback: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return fallback;
    throw error;
  }
}

/** Go's name of this machine's processor architecture. */
export function goArchitecture(): string {
  return arch() === 'x64' ? 'amd64' : arch();
}

export async function hostCapacity(directory: string): Promise<HostCapacity> {
  const disk = await statfs(directory);
  return { cpuMillis: cpus().length * 1000, memoryBytes: totalmem(), diskBytes: disk.blocks * disk.bsize };
}

export async function systemInfo(runtimeVersion: string): Promise<NodeSystemInfo> {
  const osRelease = await readOr('/etc/os-release', '');
  const machineId = await readOr('/etc/machine-id', '');
  return {
    architecture: goArchitecture(),
    bootID: await readOr('/proc/sys/kernel/random/boot_id', ''),
    containerRuntimeVersion: runtimeVersion,
    kernelVersion: release(),
    kubeProxyVersion: '',
    kubeletVersion,
    machineID: machineId,
    operatingSystem: 'linux',
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease)?.[1] ?? 'Linux',
    systemUUID: await readOr('/sys/class/dmi/id/product_uuid', machineId),
  };
}

/** Measurements for the node's conditions. */
export async function measure(directory: string): Promise<Omit<NodeFacts, 'problems'>> {
  const [memory, load, pidMax, disk] = await Promise.all([
    readFile('/proc/meminfo', 'utf8'),
    readFile('/proc/loadavg', 'utf8'),
    readFile('/proc/sys/kernel/pid_max', 'utf8'),
    statfs(directory),
  ]);
  return {
    memoryAvailableBytes: Number(/^MemAvailable:\s+(\d+)/m.exec(memory)?.[1] ?? 0) * 1024,
    diskAvailableBytes: disk.bavail * disk.bsize,
    diskCapacityBytes: disk.blocks * disk.bsize,
    inodesFree: disk.ffree,
    inodes: disk.files,
    processes: Number(load.split(' ')[3]?.split('/')[1] ?? 0),
    processesMax: Number(pidMax),
  };
}
