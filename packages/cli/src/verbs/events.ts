import type { CommandDefinition } from '../context.ts';
import { collect, type TargetFlags, withTarget } from '../kube/options.ts';

export interface EventFlags extends TargetFlags {
  readonly allNamespaces?: boolean;
  readonly for?: string;
  readonly types?: readonly string[];
  readonly watch?: boolean;
  readonly output?: string;
  readonly headers: boolean;
}

export const eventsCommand: CommandDefinition = (parent, context) => {
  withTarget(parent.command('events'))
    .description('Show what happened, oldest first')
    .option('-A, --all-namespaces', 'across all namespaces')
    .option('--for <type/name>', 'only about this object')
    .option('--types <types>', 'only of these types: Normal or Warning', collect)
    .option('-w, --watch', 'go on showing new events')
    .option('-o, --output <format>', 'json, yaml, name, jsonpath=…')
    .option('--no-headers', 'leave the headings out')
    .action(async (flags: EventFlags) => (await import('./work/events.ts')).events(context, flags));
};
