// What every runtime must do, as cases that any of them can be held against.
import type { ContainerSpec, PodIdentity, Runtime, RuntimeHint, SandboxSpec } from './port.ts';

export interface CaseContext {
  readonly runtime: Runtime;
  /** An image that is there or can be had, whose process runs until it is stopped. */
  readonly image: string;
  readonly args: readonly string[];
  readonly newUid: () => string;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface RuntimeCase {
  readonly name: string;
  /** @throws Error that says what was expected */
  readonly run: (context: CaseContext) => Promise<void>;
}

function expectThat(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`Expected that ${what}`);
}

function identityOf(context: CaseContext): PodIdentity {
  return { uid: context.newUid(), name: 'case', namespace: 'tests' };
}

function sandboxOf(pod: PodIdentity, attempt = 0): SandboxSpec {
  const own = { hostNetwork: false, hostPid: false, hostIpc: false };
  return { pod, attempt, hostname: 'case', domain: '', ...own, ip: '10.251.9.2', sysctls: {}, graceSeconds: 7 };
}

function containerOf(
  pod: PodIdentity,
  sandboxId: string,
  context: CaseContext,
  more: Partial<ContainerSpec> = {},
): ContainerSpec {
  return {
    pod,
    sandboxId,
    name: 'main',
    attempt: 0,
    specHash: 'hash',
    backoffMs: 10_000,
    graceSeconds: 7,
    image: context.image,
    imageId: 'image-id',
    command: undefined,
    args: context.args,
    environment: new Map(),
    workingDir: undefined,
    mounts: [],
    cgroup: { cpuShares: 2, cpuQuotaMicros: 0, cpuPeriodMicros: 100_000, memoryBytes: 0, oomScoreAdj: 1000 },
    security: {
      user: undefined,
      group: undefined,
      supplementalGroups: [],
      nonRoot: false,
      privileged: false,
      readOnlyRoot: false,
      noNewPrivileges: false,
      addCapabilities: [],
      dropCapabilities: [],
      seccomp: 'unconfined',
    },
    tty: false,
    stdin: false,
    stdinOnce: false,
    stopSignal: undefined,
    processes: 'own',
    hostIpc: false,
    ...more,
  };
}

async function startPod(
  context: CaseContext,
  pod: PodIdentity,
): Promise<{ readonly sandbox: string; readonly container: string }> {
  const { runtime } = context;
  const sandbox = await runtime.runSandbox(sandboxOf(pod));
  const container = await runtime.createContainer(containerOf(pod, sandbox.id, context));
  await runtime.startContainer(container);
  return { sandbox: sandbox.id, container };
}

async function removeAll(context: CaseContext, pod: PodIdentity): Promise<void> {
  const { containers, sandboxes } = await context.runtime.pod(pod);
  for (const { id } of [...containers, ...sandboxes]) await context.runtime.remove(id);
}

export const runtimeCases: readonly RuntimeCase[] = [
  {
    name: 'remembers everything a restarted kubelet has to know',
    run: async (context) => {
      const pod = identityOf(context);
      const { sandbox, container } = await startPod(context, pod);
      const found = (await context.runtime.list()).find(({ uid }) => uid === pod.uid);
      expectThat(
        found !== undefined && found.name === 'case' && found.namespace === 'tests',
        'the pod is listed by its names',
      );
      const [listedSandbox] = found.sandboxes;
      expectThat(listedSandbox?.id === sandbox && listedSandbox.ready, 'its sandbox is ready');
      expectThat(
        listedSandbox.ip === '10.251.9.2' && listedSandbox.pid !== undefined,
        'the sandbox has its address and a process',
      );
      const [listed] = found.containers;
      expectThat(listed?.id === container && listed.phase === 'running', 'its container runs');
      expectThat(
        listed.backoffMs === 10_000 && listed.specHash === 'hash' && listed.graceSeconds === 7,
        'labels come back',
      );
      expectThat(
        listed.image === context.image && listed.imageId === 'image-id' && listed.sandboxId === sandbox,
        'so do image and sandbox',
      );
      await removeAll(context, pod);
    },
  },
  {
    name: 'stops a container within its grace period and tells how it ended',
    run: async (context) => {
      const pod = identityOf(context);
      const { container } = await startPod(context, pod);
      await context.runtime.stopContainer(container, 1_000);
      const [stopped] = (await context.runtime.pod(pod)).containers;
      expectThat(stopped?.phase === 'exited' && stopped.exitCode !== undefined, 'it has exited');
      expectThat((stopped.finishedAtMs ?? 0) >= (stopped.startedAtMs ?? 0), 'its times are in order');
      await context.runtime.stopContainer(container, 1_000);
      await removeAll(context, pod);
    },
  },
  {
    name: 'shows a stopped sandbox as not ready, and forgets what was removed',
    run: async (context) => {
      const pod = identityOf(context);
      const { sandbox } = await startPod(context, pod);
      await context.runtime.stopSandbox(sandbox);
      const isReady = async () => (await context.runtime.pod(pod)).sandboxes[0]?.ready;
      for (let tries = 0; tries < 50 && (await isReady()) === true; tries++) await context.sleep(20);
      expectThat((await isReady()) === false, 'the sandbox is listed but not ready');
      await removeAll(context, pod);
      const left = await context.runtime.pod(pod);
      expectThat(left.sandboxes.length === 0 && left.containers.length === 0, 'nothing is left');
      await context.runtime.remove(sandbox);
    },
  },
  {
    name: 'lists the newest attempt first',
    run: async (context) => {
      const pod = identityOf(context);
      const { sandbox, container } = await startPod(context, pod);
      await context.runtime.stopContainer(container, 0);
      const second = await context.runtime.createContainer(containerOf(pod, sandbox, context, { attempt: 1 }));
      const { containers } = await context.runtime.pod(pod);
      expectThat(containers.map(({ attempt }) => attempt).join() === '1,0', 'attempt 1 stands before attempt 0');
      expectThat(
        containers[0]?.id === second && containers[0].phase === 'created',
        'the new one is created, not running',
      );
      await removeAll(context, pod);
    },
  },
  {
    name: 'hints at starts, ends and removals',
    run: async (context) => {
      const pod = identityOf(context);
      const hints: RuntimeHint[] = [];
      const controller = new AbortController();
      const watching = context.runtime.watch((hint) => hints.push(hint), controller.signal);
      for (let tries = 0; tries < 50 && hints.length === 0; tries++) await context.sleep(20);
      const { container } = await startPod(context, pod);
      await context.runtime.stopContainer(container, 0);
      await removeAll(context, pod);
      const seen = () =>
        hints.flatMap((hint) => (hint.kind === 'container' && hint.id === container ? [hint.action] : []));
      for (let tries = 0; tries < 50 && !seen().includes('destroy'); tries++) await context.sleep(20);
      controller.abort();
      await watching;
      expectThat(hints[0]?.kind === 'resync', 'a watch begins with a resync');
      expectThat(seen().join() === 'start,die,destroy', `the container's life is seen, not ${seen().join()}`);
    },
  },
  {
    name: 'knows images by name, and says when there is none',
    run: async (context) => {
      const image = await context.runtime.image(context.image);
      expectThat(image !== undefined && image.sizeBytes > 0, 'the image is known');
      expectThat((await context.runtime.image('wherry-test/does-not-exist:1')) === undefined, 'another is not');
      const names = (await context.runtime.images()).flatMap((one) => one.names);
      expectThat(names.includes(context.image), 'it is among the images of the node');
    },
  },
];
