// A pod's volumes on this node: made before its containers, refreshed while they run, removed after them.
import { chmod, chown, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Pod, quantityToNumber, type Volume } from '@wherry/api';
import type { Clock, Logger } from '@wherry/daemon';
import type { RunCommand } from '../host/commands.ts';
import { type Payload, type PayloadFile, samePayload, VolumeError } from '../plan/volume-payload.ts';
import { currentVersion, writeAtomically } from './atomic-writer.ts';
import { hostPath } from './host-path.ts';
import { mountTmpfs, unmountBelow } from './mounts.ts';
import { podPaths, podsRoot, secretRoot } from './paths.ts';
import { type PayloadSources, volumePayload } from './payloads.ts';

/** Host paths of a pod's volumes by name. */
export type VolumePaths = ReadonlyMap<string, string>;

/** What the pod workers need of volumes; hollow nodes have none. */
export interface PodVolumes {
  /** Makes all volumes, or brings them up to date. @throws VolumeError naming the volume that cannot be made */
  setUp(pod: Pod, notOlderThanMs: number): Promise<VolumePaths>;
  /** Unmounts and removes everything of the pod. */
  tearDown(podUid: string): Promise<void>;
  /** Pods that have left something on this node. */
  pods(): Promise<readonly string[]>;
}

export interface DiskVolumesOptions {
  readonly rootDirectory: string;
  readonly sources: PayloadSources;
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class DiskVolumes implements PodVolumes {
  readonly #options: DiskVolumesOptions;
  #versions = 0;

  constructor(options: DiskVolumesOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {
    const { rootDirectory, run, logger } = this.#options;
    await mkdir(podsRoot(rootDirectory), { recursive: true, mode: 0o750 });
    const memory = secretRoot(rootDirectory);
    await mkdir(memory, { recursive: true, mode: 0o755 });
    try {
      await mountTmpfs(run, memory, undefined);
    } catch (error) {
      logger.warn(
        { err: error, path: memory },
        'cannot mount a tmpfs: secrets and tokens of pods will lie on the disk',
      );
    }
  }

  async setUp(pod: Pod, notOlderThanMs: number): Promise<VolumePaths> {
    const uid = pod.metadata?.uid ?? '';
    await mkdir(podPaths(this.#options.rootDirectory, uid).root, { recursive: true, mode: 0o750 });
    const volumes = pod.spec?.volumes ?? [];
    const made = await Promise.all(volumes.map((volume) => this.#setUpOne(pod, volume, notOlderThanMs)));
    return new Map(made);
  }

  async #setUpOne(pod: Pod, volume: Volume, notOlderThanMs: number): Promise<readonly [string, string]> {
    try {
      return [volume.name, await this.#pathOf(pod, volume, notOlderThanMs)];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${reason}`, { cause: error });
    }
  }

  async #pathOf(pod: Pod, volume: Volume, notOlderThanMs: number): Promise<string> {
    if (volume.hostPath !== undefined) return hostPath(volume.hostPath);
    if (volume.emptyDir !== undefined) return this.#emptyDir(pod, volume);
    const group = pod.spec?.securityContext?.fsGroup;
    const plain = await volumePayload(pod, volume, this.#options.sources, notOlderThanMs);
    if (plain === undefined) throw new VolumeError(`no volume plugin matched: ${kindOf(volume)}`);
    const payload = group === undefined ? plain : readableByGroup(plain);
    const path = this.#payloadPath(pod.metadata?.uid ?? '', volume);
    if (samePayload(await readPayload(path), payload)) return path;
    const at = new Date(this.#options.clock.now()).toISOString().replace(/[-:.TZ]/g, '_');
    await writeAtomically(path, payload, { version: `..${at}.${this.#versions++}`, group });
    return path;
  }

  #payloadPath(podUid: string, volume: Volume): string {
    const { rootDirectory } = this.#options;
    if (volume.secret !== undefined || volume.projected !== undefined) {
      return join(secretRoot(rootDirectory), podUid, volume.name);
    }
    const plugin = volume.configMap !== undefined ? 'configmap' : 'downward-api';
    return podPaths(rootDirectory, podUid).volume(plugin, volume.name);
  }

  async #emptyDir(pod: Pod, volume: Volume): Promise<string> {
    const { rootDirectory, run } = this.#options;
    const path = podPaths(rootDirectory, pod.metadata?.uid ?? '').volume('empty-dir', volume.name);
    if (await isDirectory(path)) return path;
    await mkdir(path, { recursive: true });
    if (volume.emptyDir?.medium === 'Memory') {
      const limit = volume.emptyDir.sizeLimit;
      const limitBytes = limit === undefined ? 0 : quantityToNumber(limit);
      await mountTmpfs(run, path, limitBytes > 0 ? limitBytes : undefined);
    }
    const group = pod.spec?.securityContext?.fsGroup;
    if (group !== undefined) await chown(path, 0, group);
    // Files made below keep the pod's group.
    await chmod(path, group === undefined ? 0o777 : 0o2777);
    return path;
  }

  async tearDown(podUid: string): Promise<void> {
    const { rootDirectory, run } = this.#options;
    const { root } = podPaths(rootDirectory, podUid);
    await unmountBelow(run, root);
    await rm(root, { recursive: true, force: true });
    await rm(join(secretRoot(rootDirectory), podUid), { recursive: true, force: true });
    this.#options.sources.tokens.forget(podUid);
  }

  async pods(): Promise<readonly string[]> {
    const { rootDirectory } = this.#options;
    const [onDisk, inMemory] = await Promise.all([
      readdir(podsRoot(rootDirectory)),
      readdir(secretRoot(rootDirectory)),
    ]);
    return [...new Set([...onDisk, ...inMemory])];
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

function kindOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== 'name') ?? 'empty source';
}

function readableByGroup(payload: Payload): Payload {
  return new Map([...payload].map(([path, file]) => [path, { ...file, mode: file.mode | 0o440 }]));
}

/** The files that the volume shows now; undefined if it was never written. */
async function readPayload(directory: string): Promise<Payload | undefined> {
  const version = await currentVersion(directory);
  if (version === undefined) return undefined;
  const files = new Map<string, PayloadFile>();
  const root = join(directory, version);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const [content, facts] = await Promise.all([readFile(path), stat(path)]);
    files.set(path.slice(root.length + 1), { content, mode: facts.mode & 0o7777 });
  }
  return files;
}
