import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { hostPlace } from '../cluster/host-place.ts';
import { clusterLayout } from '../cluster/layout.ts';
import { serverSpecs } from '../cluster/server-specs.ts';
import { requireConfig } from '../cluster/stored-config.ts';
import type { Context } from '../context.ts';
import { observeDaemons } from '../daemons/records.ts';
import type { DaemonSpec } from '../daemons/spec.ts';
import { Failure } from '../failure.ts';
import { operate } from './operate.ts';

export interface RestoreFlags {
  readonly name: string;
  readonly dataDir?: string;
  readonly member?: string;
  readonly initialCluster?: string;
  readonly initialClusterToken: string;
  readonly bumpRevision: number;
  readonly skipHashCheck?: true;
}

interface Target {
  readonly initialCluster: string;
  readonly initialClusterToken: string;
  readonly members: readonly { readonly name: string; readonly dataDir: string }[];
}

interface Restored {
  readonly revision: number;
  readonly keys: number;
}

/** Makes members' directories from a backup. Nothing is overwritten: what a cluster had is set aside. */
export async function restoreSnapshot(context: Context, file: string, flags: RestoreFlags): Promise<void> {
  const ofCluster = flags.dataDir === undefined;
  const target = ofCluster ? clusterTarget(context, flags.name) : memberTarget(flags);
  const order = {
    kind: 'snapshotRestore',
    file: resolve(file),
    skipHashCheck: flags.skipHashCheck === true,
    bumpRevisions: flags.bumpRevision,
    ...target,
  };
  const drafts = target.members.map(({ name, dataDir }) => ({ name, dataDir: `${dataDir}.restored`, goal: dataDir }));
  if (!ofCluster) report(context, file, await operate<Restored>(context, order));
  else {
    // Left over when an earlier attempt was broken off.
    for (const { dataDir } of drafts) await rm(dataDir, { recursive: true, force: true });
    const members = drafts.map(({ name, dataDir }) => ({ name, dataDir }));
    const restored = await operate<Restored>(context, { ...order, members });
    // Only now that the backup has proved good, and all at once: a cluster of old and new members would be no cluster.
    const aside = `.before-restore-${context.clock.now()}`;
    for (const { goal } of drafts) if (existsSync(goal)) await rename(goal, `${goal}${aside}`);
    for (const { dataDir, goal } of drafts) await rename(dataDir, goal);
    report(context, file, restored);
    context.terminal.out(`What the store held before is in ${drafts.map(({ goal }) => `${goal}${aside}`).join(', ')}`);
    context.terminal.out(`"wherry up${flags.name === 'default' ? '' : ` --name ${flags.name}`}" starts the cluster`);
  }
}

function report(context: Context, file: string, { revision, keys }: Restored): void {
  context.terminal.out(`Restored ${keys} keys from ${file}, the store goes on at revision ${revision}`);
}

/** @throws Failure when the cluster's store runs */
function clusterTarget(context: Context, name: string): Target {
  const layout = clusterLayout(context.home, name);
  const config = requireConfig(layout);
  const running = observeDaemons(layout).filter(
    ({ record, state }) => record.spec.kind === 'store' && state !== 'gone',
  );
  if (running.length > 0) {
    throw new Failure(
      `Cannot restore the store of cluster "${name}" while it runs: "wherry down --name ${name}" stops it and keeps what it has`,
    );
  }
  const stores = serverSpecs(config, layout, hostPlace(context)).filter(({ kind }) => kind === 'store');
  const [first] = stores;
  if (first === undefined) throw new Failure(`Cluster "${name}" has no store on this machine`);
  return {
    initialCluster: flagOf(first, 'initial-cluster'),
    initialClusterToken: flagOf(first, 'initial-cluster-token'),
    members: stores.map((spec) => ({ name: flagOf(spec, 'name'), dataDir: flagOf(spec, 'data-dir') })),
  };
}

function memberTarget(flags: RestoreFlags): Target {
  const { dataDir, member, initialCluster, initialClusterToken } = flags;
  if (dataDir === undefined || member === undefined || initialCluster === undefined) {
    throw new Failure('With --data-dir give --member and --initial-cluster too: they are part of what is restored');
  }
  return { initialCluster, initialClusterToken, members: [{ name: member, dataDir: resolve(dataDir) }] };
}

function flagOf(spec: DaemonSpec, name: string): string {
  const prefix = `--${name}=`;
  const flag = spec.flags.find((each) => each.startsWith(prefix));
  if (flag === undefined) throw new Failure(`${spec.name} has no flag --${name}`);
  return flag.slice(prefix.length);
}
