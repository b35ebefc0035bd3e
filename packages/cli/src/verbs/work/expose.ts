import { type ApiObject, type LabelSelector, type PodSpec, resources, type ServicePort } from '@wherry/api';
import type { Context } from '../../context.ts';
import { dryRunOf } from '../../kube/dry-run.ts';
import { parseLabelPairs } from '../../kube/label-pairs.ts';
import { Problems } from '../../kube/problems.ts';
import { report } from '../../kube/report.ts';
import { type Session, withSession } from '../../kube/session.ts';
import { fetchTarget, type Target, targetsOf } from '../../kube/targets.ts';
import { VerbError } from '../../kube/verb-error.ts';
import type { ExposeFlags } from '../expose.ts';
import { intOrString, wholeNumber } from './create-objects.ts';

const KINDS = ['Pod', 'Service', 'ReplicationController', 'Deployment', 'ReplicaSet'];

type Exposed = ApiObject & {
  readonly spec?: PodSpec & {
    readonly selector?: LabelSelector | Readonly<Record<string, string>>;
    readonly template?: { readonly spec?: PodSpec };
    readonly ports?: readonly ServicePort[];
  };
};

export function expose(context: Context, args: readonly string[], flags: ExposeFlags): Promise<void> {
  return withSession(context, flags, async (session) => {
    const problems = new Problems(context);
    for (const target of await targetsOf(session, args, flags)) {
      await problems.attempt(() => exposeOne(context, session, target, flags));
    }
  });
}

async function exposeOne(context: Context, session: Session, target: Target, flags: ExposeFlags): Promise<void> {
  if (!KINDS.includes(target.resource.kind)) throw new VerbError(`cannot expose a ${target.resource.kind}`);
  const object = await fetchTarget<Exposed>(session, target);
  const { type, clusterIp, externalIp, sessionAffinity } = flags;
  const labels = flags.labels === undefined ? object.metadata?.labels : parseLabelPairs(flags.labels);
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: flags.name ?? target.name, ...(labels === undefined ? {} : { labels }) },
    spec: {
      selector: selectorOf(object, target, flags),
      ports: portsOf(object, flags),
      ...(type === undefined ? {} : { type }),
      ...(clusterIp === undefined ? {} : { clusterIP: clusterIp }),
      ...(externalIp === undefined ? {} : { externalIPs: [externalIp] }),
      ...(sessionAffinity === undefined ? {} : { sessionAffinity }),
    },
  } as ApiObject;
  const strategy = dryRunOf(flags.dryRun);
  const options = {
    namespace: target.namespace ?? session.namespace,
    dryRun: strategy === 'server',
    fieldManager: 'wherry-expose',
  };
  const made =
    strategy === 'client' ? service : await session.client.create<ApiObject>(resources.services, service, options);
  await report(context, flags, await session.discovery.find('services'), made, 'exposed');
}

function selectorOf(object: Exposed, { resource, name }: Target, flags: ExposeFlags): Readonly<Record<string, string>> {
  if (flags.selector !== undefined) return parseLabelPairs(flags.selector.split(','));
  if (resource.kind === 'Pod') {
    const { labels } = object.metadata ?? {};
    if (labels === undefined) throw new VerbError(`the pod has no labels and cannot be exposed`);
    return labels;
  }
  const { selector } = object.spec ?? {};
  const isPlain = resource.kind === 'Service' || resource.kind === 'ReplicationController';
  const labels = isPlain
    ? (selector as Readonly<Record<string, string>> | undefined)
    : (selector as LabelSelector | undefined)?.matchLabels;
  const hasExpressions = !isPlain && ((selector as LabelSelector | undefined)?.matchExpressions ?? []).length > 0;
  if (hasExpressions)
    throw new VerbError(`couldn't convert expressions of ${resource.resource}/${name} to map-based selector format`);
  if (labels === undefined || Object.keys(labels).length === 0) {
    throw new VerbError(`invalid ${resource.kind.toLowerCase()}: no selectors, therefore cannot be exposed`);
  }
  return labels;
}

function portsOf(object: Exposed, flags: ExposeFlags): readonly Readonly<Record<string, unknown>>[] {
  const { port, targetPort, protocol } = flags;
  if (port !== undefined) {
    const numbers = port.split(',').map((one) => wholeNumber('--port', one));
    return numbers.map((number, index) => ({
      ...(numbers.length > 1 ? { name: `port-${index + 1}` } : {}),
      port: number,
      protocol: protocol ?? 'TCP',
      targetPort: targetPort === undefined ? number : intOrString(targetPort),
    }));
  }
  const containers = object.spec?.template?.spec?.containers ?? object.spec?.containers ?? [];
  const found =
    object.kind === 'Service'
      ? (object.spec?.ports ?? []).map((one) => ({ port: one.port, protocol: one.protocol }))
      : containers.flatMap(({ ports = [] }) =>
          ports.map((one) => ({ port: one.containerPort, protocol: one.protocol })),
        );
  if (found.length === 0) {
    throw new VerbError(
      "couldn't find port via --port flag or introspection\nSee 'wherry expose -h' for help and examples",
    );
  }
  return found.map((one, index) => ({
    ...(found.length > 1 ? { name: `port-${index + 1}` } : {}),
    port: one.port,
    protocol: protocol ?? one.protocol ?? 'TCP',
    targetPort: targetPort === undefined ? one.port : intOrString(targetPort),
  }));
}
