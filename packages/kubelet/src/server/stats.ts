// GET /stats/summary: CPU and memory of the node, its pods and their containers.
import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { Pod } from '@wherry/api';
import { apiTime } from '../plan/api-time.ts';
import type { RuntimePod } from '../plan/runtime-state.ts';
import { Gate } from '../runtime/gate.ts';
import type { ContainerUsage, Runtime } from '../runtime/port.ts';

const readsMax = 8;
/** The kernel counts CPU time of /proc/stat in hundredths of a second. */
const nanosPerTick = 10_000_000;

function usageOf(usage: ContainerUsage) {
  const time = apiTime(usage.atMs);
  return {
    cpu: { time, usageCoreNanoSeconds: usage.cpuNanos },
    memory: { time, workingSetBytes: usage.memoryBytes, usageBytes: usage.memoryBytes },
  };
}

async function podStats(pod: Pod, runtime: RuntimePod | undefined, engine: Runtime, gate: Gate) {
  const running = (runtime?.containers ?? []).filter(({ phase }) => phase === 'running');
  const read = await Promise.all(
    running.map(async (container) => ({ container, usage: await gate.run(() => engine.usage(container.id)) })),
  );
  const containers = read.flatMap(({ container, usage }) =>
    usage === undefined
      ? []
      : [
          {
            name: container.name,
            startTime: apiTime(container.startedAtMs ?? container.createdAtMs),
            ...usageOf(usage),
            sum: usage,
          },
        ],
  );
  const { name, namespace, uid } = pod.metadata ?? {};
  const atMs = Math.max(0, ...containers.map(({ sum }) => sum.atMs));
  const total: ContainerUsage = {
    cpuNanos: containers.reduce((sum, one) => sum + one.sum.cpuNanos, 0),
    memoryBytes: containers.reduce((sum, one) => sum + one.sum.memoryBytes, 0),
    atMs,
  };
  return {
    podRef: { name, namespace, uid },
    startTime: pod.status?.startTime,
    containers: containers.map(({ sum: _, ...shown }) => shown),
    ...(containers.length > 0 && usageOf(total)),
  };
}

async function nodeUsage(nowMs: number): Promise<ContainerUsage> {
  const [stat, memory] = await Promise.all([readFile('/proc/stat', 'utf8'), readFile('/proc/meminfo', 'utf8')]);
  const ticks = (/^cpu\s+(.*)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks;
  const availableBytes = Number(/^MemAvailable:\s+(\d+)/m.exec(memory)?.[1] ?? 0) * 1024;
  const busy = user + nice + system + irq + softirq + steal;
  return { cpuNanos: busy * nanosPerTick, memoryBytes: totalmem() - availableBytes, atMs: nowMs };
}

export async function statsSummary(
  nodeName: string,
  pods: readonly { readonly pod: Pod; readonly runtime: RuntimePod | undefined }[],
  engine: Runtime,
  nowMs: number,
): Promise<unknown> {
  const gate = new Gate(readsMax);
  return {
    node: { nodeName, ...usageOf(await nodeUsage(nowMs)) },
    pods: await Promise.all(pods.map(({ pod, runtime }) => podStats(pod, runtime, engine, gate))),
  };
}
