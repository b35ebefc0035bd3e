import {
  controllerOf,
  objectKey,
  type Pod,
  type PodDisruptionBudget,
  type PodDisruptionBudgetStatus,
  resources,
} from '@wherry/api';
import type { EventRecorder, Informer, Outcome } from '@wherry/client';
import { rfc3339 } from '@wherry/daemon';
import { BY_NAMESPACE } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { failSafe, planDisruption, protectedPods } from './plan.ts';

export function startDisruption(context: ControllerContext): void {
  new DisruptionController(context).start();
}

/** Keeps the status of budgets, by which the API server grants or refuses evictions. */
class DisruptionController {
  readonly #context: ControllerContext;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #keyed: Keyed;
  readonly #recorder: EventRecorder;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#budgets = context.caches.of(resources.poddisruptionbudgets);
    this.#keyed = new Keyed(context, 'disruption-controller');
    this.#recorder = context.recorder('controllermanager');
  }

  start(): void {
    const { caches } = this.#context;
    this.#keyed.followOwn(this.#budgets);
    this.#keyed.follow(caches.pods, ({ object, previous }) => [
      ...this.#protecting(object),
      ...(previous === undefined ? [] : this.#protecting(previous)),
    ]);
    const scaled = [
      anyCache(caches.of(resources.replicasets)),
      anyCache(caches.of(resources.deployments)),
      anyCache(caches.of(resources.statefulsets)),
      anyCache(caches.of(resources.replicationcontrollers)),
    ];
    for (const cache of scaled) {
      // A resize changes what is expected of every budget beside it.
      this.#keyed.follow(cache, ({ object, previous }) =>
        object.metadata?.generation === previous?.metadata?.generation
          ? []
          : this.#budgets.byIndex(BY_NAMESPACE, object.metadata?.namespace ?? '').map(objectKey),
      );
    }
    const needed = [anyCache(this.#budgets), anyCache(caches.pods), ...scaled];
    this.#keyed.run(1, needed, (key, signal) => this.#reconcile(key, signal));
  }

  #protecting(pod: Pod): readonly string[] {
    return this.#budgets
      .byIndex(BY_NAMESPACE, pod.metadata?.namespace ?? '')
      .filter((budget) => protectedPods(budget, [pod]).length > 0)
      .map(objectKey);
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const budget = this.#budgets.get(key);
    if (budget === undefined) return undefined;
    const { caches, clock } = this.#context;
    const now = rfc3339(clock.now());
    const pods = protectedPods(budget, caches.pods.byIndex(BY_NAMESPACE, budget.metadata?.namespace ?? ''));
    const regarding = referenceTo('policy/v1', 'PodDisruptionBudget', budget);
    if (pods.length === 0) this.#recorder.event(regarding, 'Normal', 'NoPods', 'No matching pods found');
    try {
      const input = { budget, pods, scaleOf: (pod: Pod) => this.#scaleOf(pod), nowMs: clock.now(), now };
      const plan = planDisruption(input);
      if (plan.unmanaged.length > 0) {
        const message =
          'Pods selected by this PodDisruptionBudget were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.';
        this.#recorder.event(regarding, 'Warning', 'UnmanagedPods', message);
      }
      if (plan.status !== undefined) await this.#write(key, budget, plan.status, pods, signal);
      return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs };
    } catch (error) {
      if (!(error instanceof UnknownScale)) throw error;
      this.#recorder.event(regarding, 'Warning', 'CalculateExpectedPodCountFailed', error.message);
      await this.#write(key, budget, failSafe(budget, error.message, now), pods, signal);
      return undefined;
    }
  }

  /** Follows a ReplicaSet to its Deployment, where the number of replicas is decided. */
  #scaleOf(pod: Pod): { readonly owner: string; readonly replicas: number } | undefined {
    const { caches } = this.#context;
    const reference = controllerOf(pod.metadata);
    if (reference === undefined) return undefined;
    const key = `${pod.metadata?.namespace ?? ''}/${reference.name}`;
    switch (reference.kind) {
      case 'ReplicaSet': {
        const set = caches.of(resources.replicasets).get(key);
        const above = controllerOf(set?.metadata);
        const deployment =
          above?.kind === 'Deployment'
            ? caches.of(resources.deployments).get(`${pod.metadata?.namespace ?? ''}/${above.name}`)
            : undefined;
        if (deployment !== undefined) return scale(deployment.metadata?.uid, deployment.spec?.replicas);
        return set === undefined ? undefined : scale(set.metadata?.uid, set.spec?.replicas);
      }
      case 'StatefulSet': {
        const set = caches.of(resources.statefulsets).get(key);
        return set === undefined ? undefined : scale(set.metadata?.uid, set.spec?.replicas);
      }
      case 'ReplicationController': {
        const controller = caches.of(resources.replicationcontrollers).get(key);
        return controller === undefined ? undefined : scale(controller.metadata?.uid, controller.spec?.replicas);
      }
      default:
        throw new UnknownScale(
          `${reference.kind.toLowerCase()}s.${reference.apiVersion.split('/')[0]} does not implement the scale subresource`,
        );
    }
  }

  async #write(
    key: string,
    budget: PodDisruptionBudget,
    status: PodDisruptionBudgetStatus,
    pods: readonly Pod[],
    signal: AbortSignal,
  ): Promise<void> {
    const options = { subresource: 'status', signal };
    const written = await this.#context.client.update(resources.poddisruptionbudgets, { ...budget, status }, options);
    const { resourceVersion } = written.metadata ?? {};
    this.#keyed.own.wrote(key, this.#budgets, resourceVersion);
    const actions = [{ verb: 'update-status', key: `poddisruptionbudgets/${key}`, resourceVersion }];
    this.#keyed.acted(
      key,
      [budget, ...pods],
      `${status.currentHealthy} of ${status.desiredHealthy} are healthy`,
      actions,
    );
  }
}

/** Nobody says how many replicas such an owner wants. */
class UnknownScale extends Error {}

function scale(owner: string | undefined, replicas: number | undefined): { owner: string; replicas: number } {
  return { owner: owner ?? '', replicas: replicas ?? 1 };
}
