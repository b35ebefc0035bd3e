import { type Command, Option } from 'commander';
import { parseOutput } from '../printers/output-format.ts';
import { dryRunOf } from './dry-run.ts';

/** Where a verb finds its cluster: flags of all verbs that speak to an API server. */
export interface TargetFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  readonly server?: string;
  readonly token?: string;
  readonly as?: string;
  readonly asGroup?: readonly string[];
}

const TARGET_GROUP = 'Cluster:';

export function withTarget(command: Command): Command {
  return command
    .configureHelp({ groupItems: targetLast })
    .optionsGroup(TARGET_GROUP)
    .option('-n, --namespace <name>', 'namespace of the request')
    .option('--kubeconfig <file>', 'kubeconfig to use (default: $KUBECONFIG, else the default cluster of this machine)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-s, --server <url>', 'API server to speak to')
    .option('--token <token>', 'bearer token to show')
    .option('--as <user>', 'act as this user')
    .option('--as-group <group>', 'act as a member of this group; may be repeated', collect)
    .optionsGroup('Options:');
}

/** A verb's own flags are read before those that all verbs have. */
function targetLast<T extends Command | Option>(_: T[], visible: T[], groupOf: (item: T) => string): Map<string, T[]> {
  const groups = Map.groupBy(visible, groupOf);
  const last = groups.get(TARGET_GROUP);
  if (last === undefined) return groups;
  groups.delete(TARGET_GROUP);
  return groups.set(TARGET_GROUP, last);
}

/** Nothing is to be written before it is known that the result can be printed. */
export function checkedOutput(text: string): string {
  parseOutput(text);
  return text;
}

function checkedDryRun(text: string): string {
  return dryRunOf(text);
}

/** A flag that may be given several times, each time with one value or several after commas. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...value.split(',')];
}

/** Like `collect`, for values that may contain commas. */
export function collectWhole(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

export interface FileFlags {
  readonly filename?: readonly string[];
  readonly recursive?: boolean;
}

export function withFiles(command: Command): Command {
  return command
    .option('-f, --filename <path>', 'file, folder, URL or - for standard input; may be repeated', collect)
    .option('-R, --recursive', 'also folders within folders');
}

export interface SelectorFlags {
  readonly selector?: string;
  readonly all?: boolean;
}

export function withSelector(command: Command): Command {
  return command
    .option('-l, --selector <labels>', 'all objects with these labels, for example app=web,tier!=db')
    .option('--all', 'all objects of the type in the namespace');
}

export interface WriteFlags {
  readonly dryRun?: string | boolean;
  readonly output?: string;
}

export function withWrite(command: Command): Command {
  return command
    .option('--dry-run <strategy>', 'none, server (send without storing) or client (only print)', checkedDryRun, 'none')
    .option(
      '-o, --output <format>',
      'print the object as json, yaml, name, jsonpath=… instead of what was done',
      checkedOutput,
    )
    .addOption(new Option('--field-manager <name>', 'who is said to have made the change').hideHelp());
}
