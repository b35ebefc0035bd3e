import { type ApiObject, parseQuantity, type Resource, resources } from '@wherry/api';
import type { Context } from '../../context.ts';
import { scopeOf } from '../../kube/edit-objects.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { VerbError } from '../../kube/verb-error.ts';
import { alignColumns } from '../../printers/columns.ts';
import type { TopFlags } from '../top.ts';

const GROUP = 'metrics.k8s.io';
const NANO = 1_000_000_000n;
const MEBI = 1024n * 1024n;

interface Usage {
  readonly cpu?: string;
  readonly memory?: string;
}
type NodeMetrics = ApiObject & { readonly usage: Usage };
type PodMetrics = ApiObject & { readonly containers: readonly { readonly name: string; readonly usage: Usage }[] };

interface Row {
  readonly cells: readonly string[];
  readonly cpu: bigint;
  readonly memory: bigint;
}

export function topNodes(context: Context, name: string | undefined, flags: TopFlags): Promise<void> {
  return withSession(context, flags, async (session) => {
    const metrics = await metricsOf<NodeMetrics>(session, 'nodes', false, name, flags);
    const nodes = await session.client.list(resources.nodes);
    const rows = metrics.map(({ metadata, usage }): Row => {
      const node = nodes.items.find((one) => one.metadata?.name === metadata?.name);
      const { cpu: cpuMax, memory: memoryMax } = node?.status?.allocatable ?? {};
      const [cpu, memory] = [amount(usage.cpu), amount(usage.memory)];
      const cells = [
        metadata?.name ?? '',
        milliText(cpu),
        percent(cpu, cpuMax),
        mebiText(memory),
        percent(memory, memoryMax),
      ];
      return { cells, cpu, memory };
    });
    print(context, ['NAME', 'CPU(cores)', 'CPU(%)', 'MEMORY(bytes)', 'MEMORY(%)'], rows, flags);
  });
}

export function topPods(context: Context, name: string | undefined, flags: TopFlags): Promise<void> {
  return withSession(context, flags, async (session) => {
    const metrics = await metricsOf<PodMetrics>(session, 'pods', true, name, flags);
    if (metrics.length === 0) {
      context.terminal.err(
        flags.allNamespaces === true ? 'No resources found' : `No resources found in ${session.namespace} namespace.`,
      );
      return;
    }
    const rows = metrics.flatMap(({ metadata, containers }): readonly Row[] => {
      const before = [...(flags.allNamespaces === true ? [metadata?.namespace ?? ''] : []), metadata?.name ?? ''];
      const parts = containers.map(({ name: container, usage }) => ({
        container,
        cpu: amount(usage.cpu),
        memory: amount(usage.memory),
      }));
      if (flags.containers === true) {
        return parts.map(({ container, cpu, memory }) => ({
          cells: [...before, container, milliText(cpu), mebiText(memory)],
          cpu,
          memory,
        }));
      }
      const cpu = parts.reduce((sum, part) => sum + part.cpu, 0n);
      const memory = parts.reduce((sum, part) => sum + part.memory, 0n);
      return [{ cells: [...before, milliText(cpu), mebiText(memory)], cpu, memory }];
    });
    const heading = [
      ...(flags.allNamespaces === true ? ['NAMESPACE'] : []),
      ...(flags.containers === true ? ['POD', 'NAME'] : ['NAME']),
      'CPU(cores)',
      'MEMORY(bytes)',
    ];
    print(context, heading, rows, flags);
  });
}

async function metricsOf<T extends ApiObject>(
  session: Session,
  type: string,
  namespaced: boolean,
  name: string | undefined,
  flags: TopFlags,
): Promise<readonly T[]> {
  const served = (await session.discovery.all()).find(({ group, resource }) => group === GROUP && resource === type);
  if (served === undefined) throw new VerbError('Metrics API not available');
  if (flags.sortBy !== undefined && flags.sortBy !== 'cpu' && flags.sortBy !== 'memory') {
    throw new VerbError('--sort-by accepts only cpu or memory');
  }
  const resource: Resource<T> = {
    group: GROUP,
    version: served.version,
    resource: type,
    kind: served.kind,
    namespaced,
  };
  const scope = namespaced && flags.allNamespaces !== true ? scopeOf(session.namespace) : {};
  if (name !== undefined) return [await session.client.get(resource, name, scope)];
  const { items } = await session.client.list(resource, {
    ...scope,
    ...(flags.selector === undefined ? {} : { labelSelector: flags.selector }),
    ...(flags.fieldSelector === undefined ? {} : { fieldSelector: flags.fieldSelector }),
  });
  return items;
}

function print(context: Context, heading: readonly string[], rows: readonly Row[], flags: TopFlags): void {
  const { sortBy } = flags;
  const ordered =
    sortBy === 'cpu' || sortBy === 'memory' ? rows.toSorted((a, b) => (a[sortBy] < b[sortBy] ? 1 : -1)) : rows;
  const cells = ordered.map((row) => row.cells);
  for (const line of alignColumns(flags.headers ? [heading, ...cells] : cells)) context.terminal.out(line);
}

/** In billionths. */
function amount(text: string | undefined): bigint {
  return text === undefined ? 0n : parseQuantity(text).nano;
}

function milliText(nano: bigint): string {
  const milli = NANO / 1000n;
  return `${(nano + milli - 1n) / milli}m`;
}

function mebiText(nano: bigint): string {
  return `${nano / NANO / MEBI}Mi`;
}

function percent(nano: bigint, whole: string | undefined): string {
  const all = amount(whole);
  return all === 0n ? '<unknown>' : `${(nano * 100n) / all}%`;
}
