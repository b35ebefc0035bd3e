import { type ApiClient, InformerFactory } from '@wherry/client';
import type { Clock, Logger, Metrics, Random, Scope } from '@wherry/daemon';
import { Caches } from './spine/caches.ts';
import { type ControllerContext, recorders, type StartController } from './spine/context.ts';
import type { Options } from './spine/options.ts';

export interface ManagerOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Closes when leadership ends: all caches and workers live in it. */
  readonly scope: Scope;
  readonly options: Options;
  readonly controllers: ReadonlyMap<string, StartController>;
}

/** Starts the chosen controllers on shared caches. */
export function startControllers(manager: ManagerOptions): void {
  const { client, clock, random, logger, metrics, scope, options } = manager;
  const caches = new Caches(new InformerFactory({ client, clock, random, logger, scope }));
  const base = { client, caches, clock, random, logger, metrics, scope, options };
  const context: ControllerContext = { ...base, recorder: recorders(base) };
  for (const [name, start] of manager.controllers) {
    logger.info({ controller: name }, 'starting controller');
    start(context);
  }
}
