import { type Node, type Pod, resources } from '@wherry/api';
import { createMetrics, rfc3339, Scope, seededRandom, silentLogger, VirtualClock } from '@wherry/daemon';
import { chosenControllers } from '../controllers.ts';
import { startControllers } from '../manager.ts';
import type { Options } from '../spine/options.ts';
import { FakeApi } from './fake-api.ts';

export const testOptions: Options = {
  clusterCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  allocateNodeCidrs: true,
  nodeCidrMaskSize: 24,
  nodeMonitorPeriodMs: 5_000,
  nodeMonitorGracePeriodMs: 50_000,
  nodeStartupGracePeriodMs: 60_000,
  nodeEvictionRate: 0.1,
  secondaryNodeEvictionRate: 0.01,
  unhealthyZoneThreshold: 0.55,
  largeClusterSizeThreshold: 50,
  terminatedPodGcThreshold: 12_500,
  rootCa: 'CA',
  clusterSigning: undefined,
  clusterSigningDurationMs: 365 * 24 * 3_600_000,
  resourceQuotaSyncPeriodMs: 300_000,
  concurrent: {
    deployment: 5,
    replicaSet: 5,
    replicationController: 5,
    statefulSet: 5,
    daemonSet: 2,
    job: 5,
    cronJob: 5,
    endpoint: 5,
    serviceEndpoint: 5,
    mirroringServiceEndpoint: 5,
    garbageCollector: 20,
    namespace: 10,
    ttlAfterFinished: 5,
    resourceQuota: 5,
  },
};

/** Controllers on a fake API server and a virtual clock, with just enough of a scheduler and kubelet for pods to live. */
export class World {
  readonly clock = new VirtualClock();
  readonly api: FakeApi;
  readonly client;
  readonly #random = seededRandom(7);
  #scope: Scope;
  readonly #controllers: readonly string[];
  #pods = 0;
  /** What a pod comes to when it is started; Running and ready by default. */
  outcome: (pod: Pod) => { readonly phase: string; readonly ready: boolean } = () => ({
    phase: 'Running',
    ready: true,
  });
  /** The nodes' kubelets work: pods start and end. */
  kubeletsRun = true;

  constructor(...controllers: readonly string[]) {
    this.api = new FakeApi(this.clock, this.#random);
    this.client = this.api.client;
    this.#controllers = controllers;
    this.#scope = this.#start();
  }

  #start(): Scope {
    const scope = new Scope('world', silentLogger, (work, error) => {
      throw new Error(`${work} failed`, { cause: error });
    });
    startControllers({
      client: this.client,
      clock: this.clock,
      random: this.#random,
      logger: silentLogger,
      metrics: createMetrics(),
      scope,
      options: testOptions,
      controllers: chosenControllers(this.#controllers),
    });
    return scope;
  }

  /** The controllers die in whatever they were doing, and others take over. */
  async restart(): Promise<void> {
    await this.close();
    this.#scope = this.#start();
  }

  async close(): Promise<void> {
    const closing = this.#scope.close();
    await this.clock.advance(0);
    await closing;
  }

  async addNode(name: string): Promise<void> {
    const conditions = [{ type: 'Ready', status: 'True', lastHeartbeatTime: rfc3339(this.clock.now()) }];
    const node: Node = { metadata: { name }, status: { conditions } };
    await this.client.create(resources.nodes, node);
  }

  /** Lets time pass; pods are bound, started and ended along the way. */
  async run(ms: number, stepMs = 100): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.clock.advance(stepMs);
      if (this.kubeletsRun) for (const pod of this.api.list(resources.pods)) await this.#tend(pod);
    }
    await this.clock.advance(0);
  }

  async #tend(pod: Pod): Promise<void> {
    const { name = '', namespace = '', deletionTimestamp } = pod.metadata ?? {};
    if (deletionTimestamp !== undefined && pod.metadata?.deletionGracePeriodSeconds !== 0) {
      await this.client.delete(resources.pods, name, { namespace, gracePeriodSeconds: 0 });
      return;
    }
    if (pod.status?.phase !== undefined || deletionTimestamp !== undefined) return;
    const nodes = this.api.list(resources.nodes);
    const nodeName = pod.spec?.nodeName ?? nodes[this.#pods % Math.max(1, nodes.length)]?.metadata?.name ?? 'node';
    const ip = `10.244.${this.#pods >> 8}.${this.#pods++ & 255}`;
    await this.client.patch(resources.pods, name, { spec: { nodeName } }, { namespace });
    const { phase, ready } = this.outcome(pod);
    const now = rfc3339(this.clock.now());
    const status = {
      phase,
      startTime: now,
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: now }],
    };
    await this.client.patch(resources.pods, name, { status }, { namespace, subresource: 'status' });
  }
}
