import { controllerOf, isNotFound, type Job, type JobStatus, type Pod, resources } from '@wherry/api';
import type { EventRecorder, Informer, Outcome } from '@wherry/client';
import { rfc3339 } from '@wherry/daemon';
import { claim, ownerOf } from '../../pods/ownership.ts';
import { actOnEach, slowStart } from '../../spine/batches.ts';
import { BY_CONTROLLER, BY_TRACKING_JOB, ORPHANS } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { type Actor, isNamespaceTerminating, PodActions } from '../../spine/pod-actions.ts';
import { orphanOwners } from '../../spine/pod-owners.ts';
import { TRACKING_FINALIZER } from './new-pods.ts';
import { isFinished, type JobPlan, planJob } from './plan.ts';

/** First wait after a failed reconciliation, and the longest (upstream's limits for Jobs). */
const BACKOFF = { baseMs: 1_000, maxMs: 60_000 };
/** Value of spec.managedBy that means us. */
const MANAGED_BY = 'kubernetes.io/job-controller';

export function startJobs(context: ControllerContext): void {
  new JobController(context).start();
}

class JobController {
  readonly #context: ControllerContext;
  readonly #jobs: Informer<Job>;
  readonly #pods: Informer<Pod>;
  readonly #keyed: Keyed;
  readonly #actions: PodActions;
  readonly #recorder: EventRecorder;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#jobs = context.caches.of(resources.jobs);
    this.#pods = context.caches.pods;
    this.#keyed = new Keyed(context, 'job-controller', BACKOFF);
    this.#recorder = context.recorder('job-controller');
    this.#actions = new PodActions(context, this.#keyed, this.#recorder);
  }

  start(): void {
    this.#keyed.followOwn(this.#jobs);
    this.#keyed.follow(this.#pods, ({ object, previous }) => this.#keysOf(object, previous));
    const caches = [anyCache(this.#jobs), anyCache(this.#pods)];
    this.#keyed.run(this.#context.options.concurrent.job, caches, (key, signal) => this.#reconcile(key, signal));
  }

  /** A pod's Job; for an orphan the Jobs that select it, and its namespace, should it hold our finalizer. */
  #keysOf(pod: Pod, previous: Pod | undefined): readonly string[] {
    const keys: string[] = [];
    const namespace = pod.metadata?.namespace ?? '';
    for (const version of previous === undefined ? [pod] : [pod, previous]) {
      const owner = controllerOf(version.metadata);
      if (owner?.kind === 'Job') keys.push(`${namespace}/${owner.name}`);
    }
    if (controllerOf(pod.metadata) !== undefined) return keys;
    if (pod.metadata?.finalizers?.includes(TRACKING_FINALIZER)) keys.push(namespace);
    return [...keys, ...orphanOwners(this.#jobs, pod, (job) => job.spec?.selector)];
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const job = this.#jobs.get(key);
    const live = job !== undefined && !isFinished(job);
    await this.#freeStrays(key, live ? job : undefined, signal);
    if (job?.spec === undefined || !live || (job.spec.managedBy ?? MANAGED_BY) !== MANAGED_BY) return undefined;
    const regarding = referenceTo('batch/v1', 'Job', job);
    if (!['NonIndexed', 'Indexed', undefined].includes(job.spec.completionMode)) {
      const message = 'Skipped Job sync because completion mode is unknown';
      this.#recorder.event(regarding, 'Warning', 'UnknownCompletionMode', message);
      return undefined;
    }
    const owner = ownerOf('batch/v1', 'Job', job);
    const actor: Actor = { key, regarding, signal, done: [] };
    const claimed = claim(owner, job.spec.selector ?? {}, [
      ...this.#pods.byIndex(BY_CONTROLLER, owner.uid),
      ...(job.spec.selector === undefined ? [] : this.#pods.byIndex(ORPHANS, owner.namespace)),
    ]);
    if (claimed.adopt.length + claimed.release.length > 0) {
      await actOnEach(claimed.adopt, (pod) => this.#actions.adopt(actor, owner, pod, [TRACKING_FINALIZER]));
      await actOnEach(claimed.release, (pod) => this.#actions.release(actor, owner.uid, pod, [TRACKING_FINALIZER]));
      this.#keyed.acted(key, [job, ...claimed.adopt, ...claimed.release], 'selector and owner differ', actor.done);
      this.#keyed.queue.add(key);
      return undefined;
    }
    const nowMs = this.#context.clock.now();
    const plan = planJob({ job, owner, pods: claimed.owned, nowMs, now: rfc3339(nowMs) });
    try {
      await this.#act(actor, job, plan);
    } finally {
      this.#keyed.acted(key, [job, ...claimed.owned], plan.why, actor.done);
    }
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs };
  }

  async #act(actor: Actor, job: Job, plan: JobPlan): Promise<void> {
    await actOnEach(plan.deleteCounted, (pod) => this.#actions.delete(actor, pod));
    await actOnEach(plan.deleteUncounted, async (pod) => {
      await this.#free(actor, pod);
      await this.#actions.delete(actor, pod);
    });
    const created = await slowStart(plan.create.length, async (index) => {
      const pod = plan.create[index];
      if (pod !== undefined) await this.#actions.create(actor, pod);
    });
    if (plan.status !== undefined) {
      const missing = plan.create.length - created.succeeded;
      const status = missing === 0 ? plan.status : { ...plan.status, active: (plan.status.active ?? 0) - missing };
      await this.#writeStatus(actor, job, status);
    }
    for (const event of plan.events) this.#recorder.event(actor.regarding, event.type, event.reason, event.message);
    await actOnEach(plan.release, (pod) => this.#free(actor, pod));
    if (created.failed && !isNamespaceTerminating(created.failure)) throw created.failure;
  }

  async #writeStatus(actor: Actor, job: Job, status: JobStatus): Promise<void> {
    const options = { subresource: 'status', signal: actor.signal };
    const written = await this.#context.client.update(resources.jobs, { ...job, status }, options);
    const resourceVersion = written.metadata?.resourceVersion;
    this.#keyed.own.wrote(actor.key, this.#jobs, resourceVersion);
    actor.done.push({ verb: 'update-status', key: `jobs/${actor.key}`, resourceVersion });
  }

  async #free(actor: Actor, pod: Pod): Promise<void> {
    if (!pod.metadata?.finalizers?.includes(TRACKING_FINALIZER)) return;
    const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } };
    await this.#actions.patch(actor, pod, 'release-finalizer', patch);
  }

  /** Pods that hold our finalizer although their Job is gone, finished or not theirs would never go away. */
  async #freeStrays(key: string, job: Job | undefined, signal: AbortSignal): Promise<void> {
    const uid = job?.metadata?.uid;
    const strays = this.#pods
      .byIndex(BY_TRACKING_JOB, key)
      .filter((pod) => uid === undefined || controllerOf(pod.metadata)?.uid !== uid);
    if (strays.length === 0) return;
    // The cache of Jobs may lag behind that of pods: only the server knows that a Job is gone.
    if (job === undefined && key.includes('/') && !(await this.#isGoneOrFinished(key, signal))) return;
    const actor: Actor = { key, regarding: { kind: 'Job', name: key }, signal, done: [] };
    await actOnEach(strays, (pod) => this.#free(actor, pod));
    this.#keyed.acted(key, strays, 'their Job is gone or finished', actor.done);
  }

  async #isGoneOrFinished(key: string, signal: AbortSignal): Promise<boolean> {
    const [namespace = '', name = ''] = key.split('/');
    try {
      return isFinished(await this.#context.client.get(resources.jobs, name, { namespace, signal }));
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  }
}
