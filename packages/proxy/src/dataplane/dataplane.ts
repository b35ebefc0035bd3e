import type { RuleChange } from '../plan/difference.ts';
import type { ServiceRule } from '../plan/service-rules.ts';

/** A rule, or a door of one, that this data plane cannot serve, and why. */
export interface Unserved {
  readonly key: string;
  readonly why: string;
}

/** What carries service traffic. Calls are made one at a time. */
export interface Dataplane {
  readonly mode: 'nftables' | 'userspace';
  /**
   * Makes `rules` the rules in force, whatever was there before; connections in progress live on.
   * @throws when they are not in force; the caller tries again
   */
  resync(rules: readonly ServiceRule[]): Promise<void>;
  /**
   * Makes the changes, all at once where the data plane can.
   * @throws when it is not certain that they are in force; the caller then resyncs
   */
  apply(changes: readonly RuleChange[]): Promise<void>;
  /** Whether what `resync` built is still there: others may flush the node's rules. */
  isIntact(): Promise<boolean>;
  unserved(): readonly Unserved[];
  /** Stops; rules that live in the kernel stay, as upstream's do. */
  close(): Promise<void>;
  /** Takes everything away that this data plane, or an earlier run of it, made on the node. */
  cleanUp(): Promise<void>;
}
