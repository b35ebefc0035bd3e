import { VerbError } from './verb-error.ts';

export type DryRun = 'none' | 'server' | 'client';

export function dryRunOf(text: string | boolean | undefined): DryRun {
  if (text === undefined || text === 'none' || text === false) return 'none';
  if (text === 'server' || text === 'client') return text;
  throw new VerbError(`Invalid dry-run value (${String(text)}). Must be "none", "server", or "client".`);
}

export function dryRunSuffix(strategy: DryRun): string {
  return strategy === 'none' ? '' : strategy === 'server' ? ' (server dry run)' : ' (dry run)';
}
