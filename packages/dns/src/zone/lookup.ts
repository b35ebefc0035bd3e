import type { ClusterView } from './cluster-view.ts';
import { type Address, isEncodableName, type Labels, labelsOf, parseAddress, undashed } from './names.ts';
import { type Selection, type Target, targetsOf } from './targets.ts';

/** What a name below the cluster's domain stands for, whatever type was asked. */
export type Found =
  | { readonly kind: 'nothing' }
  /** The name exists, but has no records of its own. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'targets'; readonly targets: readonly Target[] }
  | { readonly kind: 'addresses'; readonly addresses: readonly Address[] }
  | { readonly kind: 'alias'; readonly to: Labels }
  | { readonly kind: 'version' };

const NOTHING: Found = { kind: 'nothing' };
const EMPTY: Found = { kind: 'empty' };

/** @param base labels left of the cluster's domain */
export function lookUp(base: Labels, view: ClusterView, nameServers: readonly Address[]): Found {
  const tree = base.at(-1);
  const rest = base.slice(0, -1);
  switch (tree) {
    case undefined:
      return EMPTY;
    case 'svc':
      return lookUpService(rest, view);
    case 'pod':
      return lookUpPod(rest);
    case 'dns-version':
      return rest.length === 0 ? { kind: 'version' } : NOTHING;
    case 'dns':
      if (rest.length === 0) return EMPTY;
      return rest.length === 1 && rest[0] === 'ns' ? { kind: 'addresses', addresses: nameServers } : NOTHING;
    default:
      return NOTHING;
  }
}

function lookUpService(labels: Labels, view: ClusterView): Found {
  const [namespace, name] = labels.toReversed();
  if (namespace === undefined) return EMPTY;
  if (name === undefined) return view.hasServicesIn(namespace) ? EMPTY : NOTHING;
  const service = view.service(namespace, name);
  const selection = selectionOf(labels.slice(0, -2));
  if (service === undefined || selection === undefined) return NOTHING;
  if (service.spec?.type === 'ExternalName') {
    const external = service.spec.externalName ?? '';
    const usable =
      selection.endpoint === undefined && isEncodableName(external) && parseAddress(external) === undefined;
    return usable ? { kind: 'alias', to: labelsOf(external) } : NOTHING;
  }
  const targets = targetsOf(view, service, selection);
  return targets.length === 0 ? NOTHING : { kind: 'targets', targets };
}

/** One more label is an endpoint's name, two are `_port._protocol`; there is nothing deeper. */
function selectionOf(labels: Labels): Selection | undefined {
  const [first = '', second = ''] = labels;
  if (labels.length === 0) return {};
  if (labels.length === 1) return { endpoint: first };
  if (labels.length > 2) return undefined;
  return { port: first.replace(/^_/, ''), protocol: second.replace(/^_/, '') };
}

/** Pod names are arithmetic: whether such a pod exists is not looked up (kubeadm's `pods insecure`). */
function lookUpPod(labels: Labels): Found {
  const [namespace, pod, ...deeper] = labels.toReversed();
  if (namespace === undefined || pod === undefined) return EMPTY;
  const address = undashed(pod);
  return address === undefined || deeper.length > 0 ? NOTHING : { kind: 'addresses', addresses: [address] };
}
