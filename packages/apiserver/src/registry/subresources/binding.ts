import {
  type Binding,
  badRequest,
  conflict,
  facts,
  invalid,
  notSupported,
  type Pod,
  required,
  resources,
  setCondition,
} from '@wherry/api';
import { rfc3339 } from '@wherry/daemon';
import { topologyLabels } from '../../admission/pod-topology-labels.ts';
import type { ApiResponse } from '../../http/exchange.ts';
import { success, valueResponse } from '../../http/respond.ts';
import type { Registry, ResourceRequest } from '../context.ts';
import { readObject } from '../decode.ts';
import { parseWriteOptions } from '../options.ts';
import type { StoredKind } from '../served-kind.ts';

/** POST of `pods/<name>/binding` and of the older `bindings`: a scheduler assigns a pod to a node. */
export async function bind(from: ResourceRequest, pods: StoredKind): Promise<ApiResponse> {
  const options = parseWriteOptions(from.query, 'CreateOptions');
  const node = facts.ofKind('', 'v1', 'Binding');
  if (node === undefined) {
    throw new Error('No facts about Binding');
  }
  const body = await readObject(
    from.request,
    { group: '', version: 'v1', kind: 'Binding', node },
    options.fieldValidation,
  );
  const binding = body.object as Binding;
  const podName = from.info.subresource === 'binding' ? from.info.name : (binding.metadata?.name ?? '');
  if (from.info.subresource === 'binding' && (binding.metadata?.name ?? podName) !== podName) {
    throw badRequest(`name in URL does not match name in Binding object`);
  }
  checkTarget(binding, podName);
  const admitted = await from.registry.admission.admit(
    {
      operation: 'CREATE',
      stored: pods,
      subresource: 'binding',
      namespace: from.info.namespace,
      name: podName,
      object: binding,
      old: undefined,
      user: from.user,
      dryRun: options.dryRun,
      warnings: from.warnings,
    },
    binding,
  );
  await assign(from.registry, pods, from.info.namespace, podName, admitted as Binding, options.dryRun);
  return valueResponse(201, success(), from.how);
}

type Labels = Readonly<Record<string, string>>;

/** Of a binding's labels only those that say where the node is reach the pod. */
function withTopology(own: Labels | undefined, given: Labels = {}): { readonly labels?: Labels } {
  const known = topologyLabels.filter((label) => given[label] !== undefined);
  if (known.length === 0) {
    return {};
  }
  return { labels: { ...own, ...Object.fromEntries(known.map((label) => [label, given[label] ?? ''])) } };
}

function checkTarget(binding: Binding, name: string): void {
  const { target } = binding;
  if ((target.kind ?? '') !== '' && target.kind !== 'Node') {
    throw invalid({ group: '', kind: 'Binding' }, name, [
      notSupported('target.kind', target.kind, ['Node', '<empty>']),
    ]);
  }
  if ((target.name ?? '') === '') {
    throw invalid({ group: '', kind: 'Binding' }, name, [required('target.name', '')]);
  }
}

async function assign(
  registry: Registry,
  pods: StoredKind,
  namespace: string,
  name: string,
  binding: Binding,
  dryRun: boolean,
): Promise<void> {
  await registry.store.update(pods, namespace, name, { dryRun }, (current) => {
    const pod = current.object() as Pod;
    const uid = binding.metadata?.uid ?? '';
    if (uid !== '' && uid !== pod.metadata?.uid) {
      throw conflict(
        resources.pods,
        name,
        `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata?.uid ?? ''}`,
      );
    }
    const refuse = (why: string) => conflict({ group: '', resource: 'pods/binding' }, name, why);
    if (pod.metadata?.deletionTimestamp !== undefined) {
      throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
    }
    if ((pod.spec?.nodeName ?? '') !== '') {
      throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec?.nodeName)}`);
    }
    if ((pod.spec?.schedulingGates ?? []).length > 0) {
      throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
    }
    const conditions = setCondition(pod.status?.conditions, {
      type: 'PodScheduled',
      status: 'True',
      lastTransitionTime: rfc3339(registry.clock.now()),
    });
    const annotations = { ...pod.metadata?.annotations, ...binding.metadata?.annotations };
    const next: Pod = {
      ...pod,
      metadata: {
        ...pod.metadata,
        ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
        ...withTopology(pod.metadata?.labels, binding.metadata?.labels),
      },
      spec: { containers: [], ...pod.spec, nodeName: binding.target.name ?? '' },
      status: { ...pod.status, conditions },
    };
    return { kind: 'write', object: next };
  });
}
