// A kubelet in this process for tests, with the API in memory.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerStatus, Pod, PodSpec, PodStatus } from '@wherry/api';
import { ApiClient } from '@wherry/client';
import { createMetrics, type Logger, Scope, silentLogger, systemClock, systemRandom } from '@wherry/daemon';
import { runCommand } from '../host/commands.ts';
import { type Kubelet, startKubelet } from '../kubelet.ts';
import type { KubeletAdapters, KubeletConfig } from '../kubelet-config.ts';
import { realProber } from '../probes/prober.ts';
import { hollowProber, hollowWiring } from '../runtime/hollow/hollow-node.ts';
import { HollowRuntime } from '../runtime/hollow/hollow-runtime.ts';
import type { Runtime } from '../runtime/port.ts';
import { FakeApi } from './fake-api.ts';

export interface TestKubelet extends AsyncDisposable {
  readonly api: FakeApi;
  readonly kubelet: Kubelet;
  readonly rootDirectory: string;
  /** Stops the kubelet as a kill would: containers go on. */
  stop(): Promise<void>;
}

export interface TestKubeletOptions {
  readonly runtime: Runtime;
  readonly api?: FakeApi;
  readonly rootDirectory?: string;
  readonly config?: Partial<KubeletConfig>;
  readonly adapters?: Partial<KubeletAdapters>;
  readonly logger?: Logger;
}

export async function startTestKubelet(options: TestKubeletOptions): Promise<TestKubelet> {
  const api = options.api ?? new FakeApi();
  const logger = options.logger ?? silentLogger;
  const rootDirectory = options.rootDirectory ?? (await mkdtemp(join(tmpdir(), 'wherry-kubelet-')));
  const scope = new Scope('kubelet', logger);
  const config: KubeletConfig = {
    nodeName: 'n1',
    nodeIp: '127.0.0.1',
    labels: {},
    taints: [],
    register: true,
    rootDirectory,
    resolvConf: '/etc/resolv.conf',
    clusterDns: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    clusterCidr: undefined,
    podCidr: '10.251.7.0/24',
    podsMax: 20,
    cpu: '2',
    memory: '4Gi',
    capacityDivisor: 1,
    port: 10250,
    statusCheckMs: 1_000,
    leaseSeconds: 40,
    drainMs: 0,
    ...options.config,
  };
  const kubelet = await startKubelet(config, {
    client: new ApiClient(api),
    runtime: options.runtime,
    wiring: hollowWiring,
    prober:
      options.runtime instanceof HollowRuntime
        ? hollowProber(options.runtime)
        : realProber(options.runtime, systemClock),
    isHollow: options.runtime.name === 'hollow',
    run: runCommand,
    clock: systemClock,
    random: systemRandom,
    logger,
    metrics: createMetrics(),
    scope,
    ...options.adapters,
  });
  return {
    api,
    kubelet,
    rootDirectory,
    stop: () => scope.close(),
    [Symbol.asyncDispose]: async () => {
      await scope.close();
      if (options.rootDirectory === undefined) await rm(rootDirectory, { recursive: true, force: true });
    },
  };
}

export interface PodWish {
  readonly name: string;
  readonly spec?: Partial<PodSpec>;
  readonly container?: Partial<PodSpec['containers'][number]>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Stores a pod that is bound to the test's node already. */
export function putPod(api: FakeApi, wish: PodWish): Pod {
  const container = { name: 'c', image: 'wherry-test/busybox:1', imagePullPolicy: 'IfNotPresent', ...wish.container };
  const spec = {
    nodeName: 'n1',
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 2,
    containers: [container],
    ...wish.spec,
  };
  const metadata = {
    name: wish.name,
    namespace: 'default',
    generation: 1,
    labels: wish.labels ?? {},
    ...(wish.annotations !== undefined && { annotations: wish.annotations }),
    uid: systemRandom.uuid(),
  };
  return api.put('pods', { apiVersion: 'v1', kind: 'Pod', metadata, spec, status: { phase: 'Pending' } });
}

export function podOf(api: FakeApi, name: string): Pod | undefined {
  return api.get('pods', 'default', name);
}

export function statusOf(api: FakeApi, name: string): PodStatus {
  return podOf(api, name)?.status ?? {};
}

export function containerOf(api: FakeApi, name: string): ContainerStatus | undefined {
  return statusOf(api, name).containerStatuses?.[0];
}

export function isReady(api: FakeApi, name: string): boolean {
  return statusOf(api, name).conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** Waits until it holds. @throws Error naming what did not come true */
export async function until(what: string, holds: () => unknown, timeoutMs = 10_000): Promise<void> {
  const endsAtMs = systemClock.monotonicMs() + timeoutMs;
  while (!holds()) {
    if (systemClock.monotonicMs() > endsAtMs) throw new Error(`timed out waiting until ${what}`);
    await systemClock.sleep(10);
  }
}
