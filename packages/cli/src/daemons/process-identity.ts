import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hasCode } from '../failure.ts';

/**
 * A process for good: a pid alone is given to another process sooner or later, and after a reboot even the same start
 * time may come again.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in the system's own unit; only ever compared. */
  readonly startTime: string;
  /** Differs after each start of the machine. */
  readonly bootId: string;
}

export type ProcessState = 'running' | 'paused' | 'gone';

/** @returns undefined when no such process lives */
export function identify(pid: number): ProcessIdentity | undefined {
  const found = readProcess(pid);
  return found === undefined ? undefined : { pid, startTime: found.startTime, bootId: bootId() };
}

export function stateOf(identity: ProcessIdentity): ProcessState {
  const found = readProcess(identity.pid);
  if (found === undefined || found.startTime !== identity.startTime || bootId() !== identity.bootId) return 'gone';
  return found.paused ? 'paused' : 'running';
}

/**
 * Sends a signal to exactly this process.
 * @returns false when it is gone
 */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (stateOf(identity) === 'gone') return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  }
}

interface Found {
  readonly startTime: string;
  readonly paused: boolean;
}

function readProcess(pid: number): Found | undefined {
  return process.platform === 'linux' ? readProc(pid) : readPs(pid);
}

function readProc(pid: number): Found | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ESRCH')) return undefined;
    throw error;
  }
  // The second field is the program's name in brackets and may hold anything; the rest follows the last bracket.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? '';
  const startTime = fields[19] ?? '';
  // A zombie has ended already: its parent only has not asked yet.
  return state === 'Z' || state === 'X' ? undefined : { startTime, paused: state === 'T' || state === 't' };
}

function readPs(pid: number): Found | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { LC_ALL: 'C' },
    }).trim();
    if (text === '' || text.startsWith('Z')) return undefined;
    return { startTime: text.replace(/^\S+\s+/, ''), paused: text.startsWith('T') };
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 1) return undefined;
    throw error;
  }
}

let knownBootId: string | undefined;

function bootId(): string {
  knownBootId ??=
    process.platform === 'linux'
      ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      : execFileSync('sysctl', ['-n', 'kern.boottime'], { encoding: 'utf8' }).trim();
  return knownBootId;
}
