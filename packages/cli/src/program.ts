import { Command } from 'commander';
import { clusterLayout } from './cluster/layout.ts';
import { readConfig } from './cluster/stored-config.ts';
import { commands } from './commands/registry.ts';
import type { Context } from './context.ts';

/** The whole command line. Importing it loads no command's inner parts. */
export function createProgram(context: Context): Command {
  const program = new Command('wherry')
    .description('Kubernetes small enough to read and real enough to trust.')
    .helpOption('-h, --help', 'show help')
    .showHelpAfterError('(add --help for help)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'wherry: ')) });
  for (const define of commands) define(program, context);
  program.hook('preAction', (_, action) => warnAboutHollowNodes(context, action));
  return program;
}

/** Nobody may mistake pretended containers for real ones: every command says it when they were not asked for. */
function warnAboutHollowNodes(context: Context, action: Command): void {
  const { name } = action.optsWithGlobals<{ name?: string }>();
  const isChange = ['up', 'down'].includes(action.name()) && action.parent?.parent === null;
  if (isChange) return;
  const config = readConfig(clusterLayout(context.home, name ?? 'default'));
  if (config?.hollowReason !== undefined) context.terminal.err(hollowWarning(config.hollowReason));
}

export function hollowWarning(reason: string): string {
  return `Warning: nodes are hollow, no container really runs: ${reason}`;
}
