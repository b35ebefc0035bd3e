import type { CommandDefinition } from '../context.ts';
import {
  collectWhole,
  type FileFlags,
  type SelectorFlags,
  type TargetFlags,
  withFiles,
  withSelector,
  withTarget,
} from '../kube/options.ts';

export interface WaitFlags extends TargetFlags, FileFlags, SelectorFlags {
  readonly for?: readonly string[];
  readonly timeout: string;
  readonly allNamespaces?: boolean;
  readonly fieldSelector?: string;
  readonly output?: string;
}

export const waitCommand: CommandDefinition = (parent, context) => {
  withSelector(withFiles(withTarget(parent.command('wait'))))
    .description('Wait until objects are as wished: wherry wait pod/web-1 --for=condition=Ready')
    .argument('[type]', 'type, or type/name')
    .argument('[names...]', 'names of objects of this type')
    .option(
      '--for <condition>',
      "create, delete, condition=NAME[=VALUE] or jsonpath='{PATH}'[=VALUE]; may be repeated",
      collectWhole,
    )
    .option('--timeout <duration>', 'how long to wait, for example 2m; 0s looks once, below 0 is a week', '30s')
    .option('-A, --all-namespaces', 'with --all or a selector: in all namespaces')
    .option('--field-selector <fields>', 'all objects with these fields')
    .option('-o, --output <format>', 'print the objects as json, yaml, name, jsonpath=…')
    .action(async (type: string | undefined, names: readonly string[], flags: WaitFlags) =>
      (await import('./work/wait.ts')).wait(context, type === undefined ? [] : [type, ...names], flags),
    );
};
