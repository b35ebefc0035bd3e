import type { ApiObject, ObjectReference } from '@wherry/api';
import { type ApiClient, EventRecorder } from '@wherry/client';
import type { Clock, Logger, Metrics, Random, Scope } from '@wherry/daemon';
import type { Caches } from './caches.ts';
import type { Options } from './options.ts';

/** What every controller is given. */
export interface ControllerContext {
  readonly client: ApiClient;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Lives as long as this process leads. */
  readonly scope: Scope;
  readonly options: Options;
  /** Of upstream's component name, for example `deployment-controller`. */
  recorder(component: string): EventRecorder;
}

/** Starts one controller; it runs until the context's scope closes. */
export type StartController = (context: ControllerContext) => void;

export function recorders(base: Omit<ControllerContext, 'recorder'>): (component: string) => EventRecorder {
  const { client, clock, logger, scope } = base;
  const made = new Map<string, EventRecorder>();
  return (component) => {
    const recorder = made.get(component) ?? new EventRecorder({ client, clock, logger, scope, component });
    made.set(component, recorder);
    return recorder;
  };
}

/** What an event about the object says it is about; objects from caches carry no kind of their own. */
export function referenceTo(apiVersion: string, kind: string, object: ApiObject): ObjectReference {
  const { name, namespace, uid, resourceVersion } = object.metadata ?? {};
  return {
    apiVersion,
    kind,
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  };
}
