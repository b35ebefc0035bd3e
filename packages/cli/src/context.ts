import type { Clock, Random } from '@wherry/daemon';
import type { Command } from 'commander';
import type { Terminal } from './terminal/terminal.ts';

/** What every command is given by the process it runs in. */
export interface Context {
  /** The repository that holds the daemons' sources. */
  readonly root: string;
  /** $WHERRY_HOME: state of all clusters. */
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** The process's user id; undefined on Windows. */
  readonly userId: number | undefined;
  readonly platform: NodeJS.Platform;
  readonly pid: number;
  /** The Node program that daemons run under. */
  readonly node: string;
}

/** One command: adds itself to its parent. What is heavy is imported in its action, so that no other command waits for it. */
export type CommandDefinition = (parent: Command, context: Context) => void;
