import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { Progress } from '../terminal/progress.ts';
import { readHostFacts } from './host-facts.ts';
import { ensureEngine } from './provider.ts';
import { runtimeFlags, stopEngine } from './start-engine.ts';

/** @throws Failure when this machine cannot have an engine */
export async function provideEngine(context: Context): Promise<void> {
  const progress = new Progress(context.terminal, context.clock);
  const outcome = await progress.step(
    'looking for a Docker engine',
    () => ensureEngine(context, (what) => progress.note(what)),
    () => undefined,
  );
  if (outcome.kind === 'unavailable') throw new Failure(`Cannot provide a Docker engine: ${outcome.reason}`);
  const { host, version, startedByUs } = outcome.engine;
  context.terminal.out(`Docker engine ${version} at ${host}${startedByUs ? ' (started)' : ''}`);
}

export async function endEngine(context: Context): Promise<void> {
  context.terminal.out(
    (await stopEngine(context)) ? 'Docker engine stopped' : 'No Docker engine was started by wherry',
  );
}

/** For those who start `dockerd` themselves. */
export async function printRuntimeFlags(context: Context): Promise<void> {
  for (const flag of await runtimeFlags(readHostFacts(context))) context.terminal.out(flag);
}
