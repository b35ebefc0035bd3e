// Docker's event stream: hints that something of ours changed. Contents are not believed; the state is read again.

import type { Clock, Logger } from '@wherry/daemon';
import { pause } from '@wherry/daemon';
import type Docker from 'dockerode';
import type { RuntimeHint } from '../port.ts';
import { isOwned, type Labels, type Ownership, ownedFilter, podOf } from './labels.ts';

const reconnectMs = 1_000;
/** One event is a few hundred bytes; more than this without a line end is no event stream. */
const lineBytesMax = 1 << 20;

interface EngineEvent {
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Labels };
}

function hintOf(owner: Ownership, event: EngineEvent): RuntimeHint | undefined {
  const labels = event.Actor?.Attributes;
  const id = event.Actor?.ID;
  const action = event.Action;
  if (labels === undefined || id === undefined || !isOwned(owner, labels)) return undefined;
  if (action !== 'start' && action !== 'die' && action !== 'destroy') return undefined;
  return { kind: 'container', podUid: podOf(labels).uid, id, action };
}

/** Follows the events until the signal aborts. Each (re)connection begins with a `resync`. */
export async function followEvents(
  docker: Docker,
  owner: Ownership,
  onHint: (hint: RuntimeHint) => void,
  environment: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await followOnce(docker, owner, onHint, signal);
    } catch (error) {
      if (signal.aborted) return;
      environment.logger.warn({ err: error }, 'the event stream of the Docker engine broke, connecting again');
    }
    await pause(environment.clock, reconnectMs, signal);
  }
}

async function followOnce(
  docker: Docker,
  owner: Ownership,
  onHint: (hint: RuntimeHint) => void,
  signal: AbortSignal,
): Promise<void> {
  const stream = await docker.getEvents({
    filters: { type: ['container'], event: ['start', 'die', 'destroy'], label: [...ownedFilter(owner)] },
    abortSignal: signal,
  });
  onHint({ kind: 'resync' });
  let pending = '';
  for await (const chunk of stream) {
    pending += chunk.toString('utf8');
    const lines = pending.split('\n');
    pending = lines.pop() ?? '';
    if (pending.length > lineBytesMax) throw new RangeError('an event of the Docker engine is too long');
    for (const line of lines) {
      if (line === '') continue;
      const hint = hintOf(owner, JSON.parse(line) as EngineEvent);
      if (hint !== undefined) onHint(hint);
    }
  }
}
