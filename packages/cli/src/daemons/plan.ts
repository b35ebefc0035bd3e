import type { ObservedDaemon } from './records.ts';
import type { DaemonSpec } from './spec.ts';

/** A daemon as it should run. */
export interface DesiredDaemon {
  readonly spec: DaemonSpec;
  readonly command: readonly string[];
  readonly digest: string;
}

export type DaemonAction =
  | { readonly kind: 'start'; readonly daemon: DesiredDaemon; readonly why: string }
  /** Ends the process that runs, then starts the daemon as it should be. */
  | { readonly kind: 'replace'; readonly daemon: DesiredDaemon; readonly running: ObservedDaemon; readonly why: string }
  | { readonly kind: 'resume'; readonly running: ObservedDaemon; readonly why: string }
  | { readonly kind: 'stop'; readonly running: ObservedDaemon; readonly why: string };

/** What turns the daemons that were found into those that should be. A daemon that runs as it should is left alone. */
export function planDaemons(
  desired: readonly DesiredDaemon[],
  observed: readonly ObservedDaemon[],
): readonly DaemonAction[] {
  const byName = new Map(observed.map((daemon) => [daemon.record.spec.name, daemon]));
  const actions: DaemonAction[] = [];
  for (const daemon of desired) {
    const found = byName.get(daemon.spec.name);
    byName.delete(daemon.spec.name);
    if (found === undefined) actions.push({ kind: 'start', daemon, why: 'it was never started' });
    else if (found.state === 'gone') actions.push({ kind: 'start', daemon, why: 'its process is gone' });
    else if (found.record.digest !== daemon.digest) {
      actions.push({ kind: 'replace', daemon, running: found, why: 'its program, flags or certificates changed' });
    } else if (found.state === 'paused') actions.push({ kind: 'resume', running: found, why: 'it was paused' });
  }
  for (const found of byName.values()) {
    if (found.state !== 'gone')
      actions.push({ kind: 'stop', running: found, why: 'it is no part of the cluster any more' });
  }
  return actions;
}
