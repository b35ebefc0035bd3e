import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '@wherry/pki';
import type { ClusterLayout } from '../cluster/layout.ts';
import { hasCode } from '../failure.ts';
import { type ProcessIdentity, type ProcessState, stateOf } from './process-identity.ts';
import type { DaemonSpec } from './spec.ts';

/** What is remembered about a daemon that was started: enough to find it, and to start it again just the same. */
export interface DaemonRecord {
  readonly spec: DaemonSpec;
  /** The program and all arguments, as started. */
  readonly command: readonly string[];
  /** Changes when the command or a file that it was given changes, for example a renewed certificate. */
  readonly digest: string;
  readonly process: ProcessIdentity;
  readonly startedAt: string;
}

/** A daemon and whether it lives right now. */
export interface ObservedDaemon {
  readonly record: DaemonRecord;
  readonly state: ProcessState;
}

const recordPath = (layout: ClusterLayout, daemon: string): string => join(layout.run, `${daemon}.json`);

export async function writeRecord(layout: ClusterLayout, record: DaemonRecord): Promise<void> {
  await writeWhole(recordPath(layout, record.spec.name), `${JSON.stringify(record, undefined, 2)}\n`, 0o600);
}

export async function removeRecord(layout: ClusterLayout, daemon: string): Promise<void> {
  await rm(recordPath(layout, daemon), { force: true });
}

/** All daemons that were started and not taken down again, in the order in which people think of them. */
export function observeDaemons(layout: ClusterLayout): readonly ObservedDaemon[] {
  let names: readonly string[];
  try {
    names = readdirSync(layout.run).filter((name) => name.endsWith('.json'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
  return names
    .map((name) => JSON.parse(readFileSync(join(layout.run, name), 'utf8')) as DaemonRecord)
    .map((record) => ({ record, state: stateOf(record.process) }))
    .sort((a, b) => a.record.spec.order - b.record.spec.order);
}
