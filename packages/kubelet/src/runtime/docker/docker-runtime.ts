// Containers through a Docker engine. What has ended never changes again, so inspections are kept by id and state:
// listing a pod costs one call, not one for each container.
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock, Logger } from '@wherry/daemon';
import { architectureOf, ensureImages, sandboxImage } from '@wherry/images';
import type Docker from 'dockerode';
import type { ContainerInfo, ContainerInspectInfo } from 'dockerode';
import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from '../../plan/runtime-state.ts';
import { Gate } from '../gate.ts';
import {
  type ContainerSpec,
  type ContainerUsage,
  type ExecOptions,
  type ExecResult,
  type ImageFacts,
  type LogOptions,
  type PodIdentity,
  type RegistryAuth,
  type Runtime,
  RuntimeError,
  type RuntimeHint,
  type SandboxSpec,
  type Session,
} from '../port.ts';
import { containerOptions, type NodeSettings, sandboxOptions } from './create-options.ts';
import { asRuntimeError, statusOf } from './errors.ts';
import { followEvents } from './event-stream.ts';
import { payloads } from './frames.ts';
import { findImage, listImages, pull } from './image-store.ts';
import { readContainer, readSandbox } from './inspect.ts';
import { isOwned, isSandbox, type Labels, ownedFilter, podOf } from './labels.ts';
import { execToEnd, openAttach, openExec } from './sessions.ts';

export interface DockerRuntimeOptions extends NodeSettings {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Creations, starts and removals at once: the engine has the work of ten a second, more only makes it thrash. */
const heavyCallsMax = 6;
const inspectionsMax = 8;

interface Known {
  readonly listedState: string;
  readonly info: ContainerInspectInfo;
}

export class DockerRuntime implements Runtime {
  readonly name = 'docker' as const;
  readonly #options: DockerRuntimeOptions;
  readonly #docker: Docker;
  readonly #heavy = new Gate(heavyCallsMax);
  readonly #inspections = new Gate(inspectionsMax);
  readonly #known = new Map<string, Known>();

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#docker = options.docker;
  }

  /** Brings our sandbox image to the engine if it is not there. */
  async prepare(): Promise<void> {
    const { Arch: architecture } = await this.#docker.version();
    await ensureImages(this.#docker, [sandboxImage(architectureOf(architecture))]);
  }

  async version(): Promise<string> {
    return `docker://${(await this.#docker.version()).Version}`;
  }

  async list(): Promise<readonly RuntimePod[]> {
    const listed = await this.#listed();
    for (const id of this.#known.keys()) if (!listed.some((info) => info.Id === id)) this.#known.delete(id);
    const byPod = new Map<string, ContainerInfo[]>();
    for (const info of listed) {
      const { uid } = podOf(info.Labels);
      byPod.set(uid, [...(byPod.get(uid) ?? []), info]);
    }
    return Promise.all([...byPod.values()].map((infos) => this.#podFrom(podOf(infos[0]?.Labels ?? {}), infos)));
  }

  async pod(identity: PodIdentity): Promise<RuntimePod> {
    return this.#podFrom(identity, await this.#listed(identity.uid));
  }

  async #listed(podUid?: string): Promise<readonly ContainerInfo[]> {
    const label = [...ownedFilter(this.#options.owner, podUid)];
    return this.#docker.listContainers({ all: true, filters: { label } });
  }

  async #podFrom(identity: PodIdentity, infos: readonly ContainerInfo[]): Promise<RuntimePod> {
    const inspected = (await Promise.all(infos.map((info) => this.#inspect(info)))).filter(
      (info) => info !== undefined,
    );
    const sandboxes: RuntimeSandbox[] = [];
    const containers: RuntimeContainer[] = [];
    for (const info of inspected) {
      if (isSandbox(info.Config.Labels)) sandboxes.push(readSandbox(info));
      else containers.push(readContainer(info));
    }
    return {
      ...identity,
      sandboxes: sandboxes.sort((left, right) => right.createdAtMs - left.createdAtMs),
      containers: containers.sort(
        (left, right) => right.attempt - left.attempt || right.createdAtMs - left.createdAtMs,
      ),
    };
  }

  async #inspect(listed: ContainerInfo): Promise<ContainerInspectInfo | undefined> {
    const known = this.#known.get(listed.Id);
    // A created container may fail to start without leaving that state.
    if (known?.listedState === listed.State && listed.State !== 'created') return known.info;
    const info = await this.#inspections.run(() => this.#inspectId(listed.Id));
    if (info !== undefined) this.#known.set(listed.Id, { listedState: info.State.Status, info });
    return info;
  }

  async #inspectId(id: string): Promise<ContainerInspectInfo | undefined> {
    try {
      return await this.#docker.getContainer(id).inspect();
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  watch(onHint: (hint: RuntimeHint) => void, signal: AbortSignal): Promise<void> {
    // The engine tells of an end before its list shows it; an inspection waits for it. So what is known of that
    // container is forgotten, and the next look inspects it whatever the list says.
    const forget = (hint: RuntimeHint) => {
      if (hint.kind === 'container') this.#known.delete(hint.id);
      onHint(hint);
    };
    return followEvents(this.#docker, this.#options.owner, forget, this.#options, signal);
  }

  async runSandbox(spec: SandboxSpec): Promise<{ readonly id: string; readonly pid: number }> {
    const id = await this.#create(() => this.#docker.createContainer(sandboxOptions(this.#options, spec)), spec.pod);
    await this.startContainer(id);
    const info = await this.#docker.getContainer(id).inspect();
    this.#known.set(id, { listedState: info.State.Status, info });
    return { id, pid: info.State.Pid };
  }

  createContainer(spec: ContainerSpec): Promise<string> {
    return this.#create(() => this.#docker.createContainer(containerOptions(this.#options, spec)), spec.pod);
  }

  /** A name in use is a leftover of an attempt whose answer was lost: if it is ours, it goes. */
  async #create(create: () => Promise<Docker.Container>, pod: PodIdentity): Promise<string> {
    try {
      return (await this.#heavy.run(create)).id;
    } catch (error) {
      const conflicting =
        statusOf(error) === 409 ? /by container "?([0-9a-f]{64})/.exec(String(error))?.[1] : undefined;
      if (conflicting === undefined) throw asRuntimeError(error, 'refused');
      const labels: Labels = (await this.#inspectId(conflicting))?.Config.Labels ?? {};
      if (!isOwned(this.#options.owner, labels) || podOf(labels).uid !== pod.uid)
        throw asRuntimeError(error, 'refused');
      await this.remove(conflicting);
      return (await this.#heavy.run(create)).id;
    }
  }

  async startContainer(id: string): Promise<void> {
    try {
      await this.#heavy.run(() => this.#docker.getContainer(id).start());
    } catch (error) {
      // 304: it runs already.
      if (statusOf(error) !== 304) throw asRuntimeError(error, 'start');
    }
  }

  async stopContainer(id: string, graceMs: number): Promise<void> {
    try {
      await this.#docker.getContainer(id).stop({ t: Math.ceil(graceMs / 1000) });
    } catch (error) {
      const status = statusOf(error);
      if (status !== 304 && status !== 404) throw asRuntimeError(error, 'refused');
    }
  }

  async stopSandbox(id: string): Promise<void> {
    try {
      await this.#heavy.run(() => this.#docker.getContainer(id).kill());
    } catch (error) {
      const status = statusOf(error);
      // 409: it does not run.
      if (status !== 409 && status !== 404) throw asRuntimeError(error, 'refused');
    }
  }

  async remove(id: string): Promise<void> {
    try {
      await this.#heavy.run(() => this.#docker.getContainer(id).remove({ force: true, v: true }));
    } catch (error) {
      const status = statusOf(error);
      // 409: another removal of it is under way.
      if (status !== 404 && status !== 409) throw asRuntimeError(error, 'refused');
    }
    this.#known.delete(id);
  }

  image(reference: string): Promise<ImageFacts | undefined> {
    return findImage(this.#docker, reference);
  }

  images(): Promise<readonly ImageFacts[]> {
    return listImages(this.#docker);
  }

  pullImage(reference: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<void> {
    return pull(this.#docker, reference, auth, signal);
  }

  async exec(containerId: string, command: readonly string[], timeoutMs: number): Promise<ExecResult> {
    const expired = Promise.withResolvers<'timeout'>();
    const timer = this.#options.clock.setTimer(timeoutMs, () => expired.resolve('timeout'));
    try {
      return await execToEnd(this.#docker, containerId, command, expired.promise);
    } catch (error) {
      throw asRuntimeError(error, 'refused');
    } finally {
      timer.cancel();
    }
  }

  async openExec(containerId: string, options: ExecOptions): Promise<Session> {
    try {
      return await openExec(this.#docker, containerId, options);
    } catch (error) {
      throw asRuntimeError(error, 'refused');
    }
  }

  async attach(containerId: string, options: { readonly tty: boolean; readonly stdin: boolean }): Promise<Session> {
    try {
      return await openAttach(this.#docker, containerId, options);
    } catch (error) {
      throw asRuntimeError(error, 'refused');
    }
  }

  async logs(containerId: string, options: LogOptions, signal: AbortSignal): Promise<Readable> {
    const query = {
      stdout: true,
      stderr: true,
      follow: options.follow,
      timestamps: options.timestamps,
      ...(options.tailLines !== undefined && { tail: options.tailLines }),
      ...(options.sinceMs !== undefined && { since: options.sinceMs / 1000 }),
    };
    try {
      const info = this.#known.get(containerId)?.info ?? (await this.#docker.getContainer(containerId).inspect());
      const chunks = await this.#logStream(containerId, query, signal);
      const output = new PassThrough();
      const source = info.Config.Tty ? chunks : payloads(chunks as AsyncIterable<Buffer>);
      pipeline(source, output, { signal }).catch((error: Error) => output.destroy(error));
      return output;
    } catch (error) {
      throw asRuntimeError(error, 'refused');
    }
  }

  /** dockerode's own `logs` reads everything into memory unless it follows; a log may be 50 MB. */
  #logStream(containerId: string, query: object, signal: AbortSignal): Promise<Readable> {
    const request = {
      path: `/containers/${containerId}/logs?`,
      method: 'GET',
      isStream: true,
      options: query,
      abortSignal: signal,
      statusCodes: { 200: true, 404: 'no such container', 409: 'dead or marked for removal', 500: 'server error' },
    };
    return new Promise((resolve, reject) => {
      this.#docker.modem.dial(request, (error: unknown, stream: unknown) => {
        if (error) reject(error);
        else resolve(stream as Readable);
      });
    });
  }

  async usage(containerId: string): Promise<ContainerUsage | undefined> {
    try {
      const stats = await this.#docker.getContainer(containerId).stats({ stream: false, 'one-shot': true });
      const cache = stats.memory_stats.stats?.inactive_file ?? stats.memory_stats.stats?.total_inactive_file ?? 0;
      return {
        cpuNanos: stats.cpu_stats.cpu_usage.total_usage,
        memoryBytes: Math.max(0, (stats.memory_stats.usage ?? 0) - cache),
        atMs: Date.parse(stats.read),
      };
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw new RuntimeError('refused', 'cannot read the usage of a container', { cause: error });
    }
  }
}
