import {
  type CronJob,
  type CronJobStatus,
  controllerOf,
  isAlreadyExists,
  isNotFound,
  type Job,
  objectKey,
  resources,
} from '@wherry/api';
import type { EventRecorder, Informer, Outcome } from '@wherry/client';
import { rfc3339 } from '@wherry/daemon';
import { ownerOf } from '../../pods/ownership.ts';
import { BY_CONTROLLER } from '../../spine/caches.ts';
import { type ControllerContext, referenceTo } from '../../spine/context.ts';
import { anyCache, Keyed } from '../../spine/keyed.ts';
import { type Actor, isNamespaceTerminating, textOf } from '../../spine/pod-actions.ts';
import { type CronJobPlan, planCronJob, withActive } from './plan.ts';

export function startCronJobs(context: ControllerContext): void {
  new CronJobController(context).start();
}

class CronJobController {
  readonly #context: ControllerContext;
  readonly #cronJobs: Informer<CronJob>;
  readonly #jobs: Informer<Job>;
  readonly #keyed: Keyed;
  readonly #recorder: EventRecorder;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#cronJobs = context.caches.of(resources.cronjobs);
    this.#jobs = context.caches.of(resources.jobs);
    this.#keyed = new Keyed(context, 'cronjob-controller');
    this.#recorder = context.recorder('cronjob-controller');
  }

  start(): void {
    this.#keyed.followOwn(this.#cronJobs);
    this.#keyed.follow(this.#jobs, ({ object }) => {
      const owner = controllerOf(object.metadata);
      return owner?.kind === 'CronJob' ? [`${object.metadata?.namespace ?? ''}/${owner.name}`] : [];
    });
    const needed = [anyCache(this.#cronJobs), anyCache(this.#jobs)];
    this.#keyed.run(this.#context.options.concurrent.cronJob, needed, (key, signal) => this.#reconcile(key, signal));
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Outcome | undefined> {
    const cronJob = this.#cronJobs.get(key);
    if (cronJob?.spec === undefined) {
      this.#keyed.own.forget(key);
      return undefined;
    }
    const owner = ownerOf('batch/v1', 'CronJob', cronJob);
    const jobs = this.#jobs.byIndex(BY_CONTROLLER, owner.uid);
    const plan = planCronJob({ cronJob, owner, jobs, nowMs: this.#context.clock.now(), rfc3339 });
    const actor: Actor = { key, regarding: referenceTo('batch/v1', 'CronJob', cronJob), signal, done: [] };
    for (const { type, reason, message } of plan.events) this.#recorder.event(actor.regarding, type, reason, message);
    try {
      await this.#act(actor, cronJob, plan);
    } finally {
      this.#keyed.acted(key, [cronJob, ...jobs], plan.why, actor.done);
    }
    return plan.requeueAfterMs === undefined ? undefined : { requeueAfterMs: plan.requeueAfterMs };
  }

  async #act(actor: Actor, cronJob: CronJob, plan: CronJobPlan): Promise<void> {
    for (const job of plan.deleteFinished) await this.#delete(actor, job);
    for (const job of plan.replace) await this.#delete(actor, job);
    let { status } = plan;
    if (plan.create !== undefined && plan.scheduledMs !== undefined) {
      const created = await this.#create(actor, plan.create);
      if (created === undefined) return;
      status = withActive(status ?? {}, created, plan.replace, rfc3339(plan.scheduledMs));
    }
    if (status !== undefined) await this.#writeStatus(actor, cronJob, status);
  }

  /** The name says which start it is, so a start can never be made twice. */
  async #create(actor: Actor, job: Job): Promise<Job | undefined> {
    const { client } = this.#context;
    const { name = '', namespace = '' } = job.metadata ?? {};
    try {
      const created = await client.create(resources.jobs, job, { signal: actor.signal });
      const { resourceVersion } = created.metadata ?? {};
      this.#keyed.own.wrote(actor.key, this.#jobs, resourceVersion);
      actor.done.push({ verb: 'create', key: `jobs/${objectKey(created)}`, resourceVersion });
      this.#recorder.event(actor.regarding, 'Normal', 'SuccessfulCreate', `Created job ${name}`);
      return created;
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      if (isAlreadyExists(error)) {
        const found = await client.get(resources.jobs, name, { namespace, signal: actor.signal });
        if (controllerOf(found.metadata)?.uid === controllerOf(job.metadata)?.uid) return found;
      }
      this.#recorder.event(actor.regarding, 'Warning', 'FailedCreate', `Error creating job: ${textOf(error)}`);
      throw error;
    }
  }

  async #delete(actor: Actor, job: Job): Promise<void> {
    const { name = '', namespace = '', uid = '' } = job.metadata ?? {};
    try {
      const options = {
        namespace,
        propagationPolicy: 'Background',
        preconditions: { uid },
        signal: actor.signal,
      } as const;
      await this.#context.client.delete(resources.jobs, name, options);
    } catch (error) {
      if (isNotFound(error)) return;
      this.#recorder.event(actor.regarding, 'Warning', 'FailedDelete', `Deleted job: ${textOf(error)}`);
      throw error;
    }
    this.#keyed.own.deleted(actor.key, this.#jobs, objectKey(job), uid);
    actor.done.push({ verb: 'delete', key: `jobs/${objectKey(job)}` });
    this.#recorder.event(actor.regarding, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  }

  async #writeStatus(actor: Actor, cronJob: CronJob, status: CronJobStatus): Promise<void> {
    const options = { subresource: 'status', signal: actor.signal };
    const written = await this.#context.client.update(resources.cronjobs, { ...cronJob, status }, options);
    const { resourceVersion } = written.metadata ?? {};
    this.#keyed.own.wrote(actor.key, this.#cronJobs, resourceVersion);
    actor.done.push({ verb: 'update-status', key: `cronjobs/${actor.key}`, resourceVersion });
  }
}
