import type { Command } from 'commander';
import type { CommandDefinition, Context } from '../context.ts';
import {
  type FileFlags,
  type TargetFlags,
  type WriteFlags,
  withFiles,
  withTarget,
  withWrite,
} from '../kube/options.ts';
import { createKinds } from './create-kinds.ts';

export interface CreateFlags extends TargetFlags, FileFlags, WriteFlags {
  readonly saveConfig?: boolean;
  readonly validate?: string | boolean;
  readonly raw?: string;
}

export const createCommand: CommandDefinition = (parent, context) => {
  const create = withCreate(withFiles(parent.command('create')))
    .description('Create objects from files, or one of the kinds below')
    .action(async (flags: CreateFlags) => (await import('./work/create.ts')).createFromFiles(context, flags));
  // Flags after a kind are that kind's own: without this (on all levels) they would be read as those of `create`.
  parent.enablePositionalOptions();
  create.enablePositionalOptions();
  createKinds(create, context);
};

/** A command that makes one object: its flags are those of all of them and its own. */
export function withCreate(command: Command): Command {
  return withWrite(withTarget(command))
    .option('--save-config', 'note the manifest in the object, as apply does')
    .option('--validate <strategy>', 'what becomes of unknown fields: strict, warn or ignore', 'strict');
}

export type Define = (create: Command, context: Context) => void;
