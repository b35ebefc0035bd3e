import { StatusError } from '@wherry/api';
import type { Logger, Scope } from '@wherry/daemon';
import type { WorkQueue } from './work-queue.ts';

/** What a reconciliation asks for when it has not failed. */
export interface Outcome {
  /** Come back after this long even if nothing changes. */
  readonly requeueAfterMs?: number;
}

export interface WorkersOptions {
  readonly name: string;
  readonly queue: WorkQueue;
  /** Keys worked on at once. */
  readonly workers: number;
  readonly scope: Scope;
  readonly logger: Logger;
  /** Throws to be tried again with back-off; a TerminalError is logged and not tried again. */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<Outcome | undefined> | Promise<void>;
}

/** A failure that trying again cannot cure. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}

/** Works a queue until the scope closes. */
export function runWorkers(options: WorkersOptions): void {
  const { scope, queue, name } = options;
  scope.onClose(() => queue.close());
  scope.signal.addEventListener('abort', () => queue.close(), { once: true });
  for (let worker = 0; worker < options.workers; worker++) {
    scope.run(`${name} worker ${worker}`, async (signal) => {
      for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
        await workOn(options, key, signal);
      }
    });
  }
}

async function workOn(options: WorkersOptions, key: string, signal: AbortSignal): Promise<void> {
  const { queue, reconcile, logger, name } = options;
  try {
    const outcome = await reconcile(key, signal);
    queue.forget(key);
    if (outcome?.requeueAfterMs !== undefined) queue.addAfter(key, outcome.requeueAfterMs);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof TerminalError) {
      queue.forget(key);
      logger.error({ controller: name, key, err: error }, 'reconcile failed for good');
      return;
    }
    const waitMs = queue.addRateLimited(key);
    // Conflicts are the ordinary price of optimistic concurrency, not news.
    const ordinary = error instanceof StatusError && (error.code === 409 || error.code === 404);
    logger[ordinary ? 'debug' : 'warn']({ controller: name, key, err: error, waitMs }, 'reconcile failed, will retry');
  } finally {
    queue.done(key);
  }
}
