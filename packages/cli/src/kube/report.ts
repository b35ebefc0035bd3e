import type { ApiObject } from '@wherry/api';
import type { Context } from '../context.ts';
import { displayName, parseOutput, printObjects } from '../printers/printer.ts';
import type { DiscoveredResource } from './discovery.ts';
import { dryRunOf, dryRunSuffix } from './dry-run.ts';
import type { WriteFlags } from './options.ts';

/** Says what was done to an object (`deployment.apps/web scaled`), or prints the object as --output asks. */
export async function report(
  context: Context,
  flags: WriteFlags,
  resource: DiscoveredResource,
  object: ApiObject,
  done: string,
): Promise<void> {
  const format = parseOutput(flags.output);
  if (format.kind !== 'table') return context.terminal.write(printObjects(format, [{ resource, object }], true));
  const name = displayName(resource, object.metadata?.name ?? '');
  context.terminal.out(`${name} ${done}${dryRunSuffix(dryRunOf(flags.dryRun))}`);
}
