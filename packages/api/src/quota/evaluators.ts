// What objects take of quotas, by resource: the same for whoever reserves (API server) and whoever counts (controller).
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from '../generated/types.ts';
import type { ApiObject } from '../meta/resource.ts';
import { parseQuantity, type Quantity } from '../quantity/quantity.ts';
import { type GroupResource, qualified } from '../status/status-error.ts';
import { itemCount, noItems, oneItem } from './amounts.ts';
import { isPodQuotaName, missingPodAmounts, podUsage } from './pod-usage.ts';
import { claimInScope, podInScope, scopeRequirements } from './scopes.ts';

type Requirement = ReturnType<typeof scopeRequirements>[number];

/** How one resource is measured. All functions are about objects of that resource. */
export interface QuotaEvaluator {
  /** Whether a quota on this name limits the resource. */
  concerns(quotaName: string): boolean;
  usage(object: ApiObject, nowMs: number): ReadonlyMap<string, Quantity>;
  inScope(object: ApiObject, requirement: Requirement): boolean;
  /** What the object must state for quotas on these names; '' when it does. */
  missing(object: ApiObject, quotaNames: readonly string[]): string;
}

/** Names from before `count/…`, which mean the same. */
const oldNames: ReadonlySet<string> = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas']);

const byResource = new Map<string, QuotaEvaluator>([
  ['pods', podEvaluator()],
  ['services', serviceEvaluator()],
  ['persistentvolumeclaims', claimEvaluator()],
]);

/** The evaluator of any namespaced resource; those without rules of their own are counted. */
export function quotaEvaluatorOf(resource: GroupResource): QuotaEvaluator {
  const name = qualified(resource);
  let found = byResource.get(name);
  if (found === undefined) {
    found = counter(name, oldNames.has(name) ? [name] : []);
    byResource.set(name, found);
  }
  return found;
}

/** Whether a quota that limits `hardNames` is about the object at all. */
export function quotaMatches(
  quota: ResourceQuota,
  hardNames: readonly string[],
  evaluator: QuotaEvaluator,
  object: ApiObject,
): boolean {
  return (
    hardNames.some((name) => evaluator.concerns(name)) &&
    scopeRequirements(quota).every((requirement) => evaluator.inScope(object, requirement))
  );
}

function counter(resource: string, aliases: readonly string[]): QuotaEvaluator {
  const names = [`count/${resource}`, ...aliases];
  const usage = new Map(names.map((name) => [name, oneItem]));
  return {
    concerns: (name) => names.includes(name),
    usage: () => usage,
    inScope: () => false,
    missing: () => '',
  };
}

function podEvaluator(): QuotaEvaluator {
  return {
    concerns: isPodQuotaName,
    usage: (object, nowMs) => podUsage(object as Pod, nowMs),
    inScope: (object, requirement) => podInScope(object as Pod, requirement),
    missing: (object, names) => missingPodAmounts(object as Pod, names),
  };
}

function serviceEvaluator(): QuotaEvaluator {
  const names = ['count/services', 'services', 'services.nodeports', 'services.loadbalancers'];
  return {
    concerns: (name) => names.includes(name),
    usage: (object) => {
      const { spec } = object as Service;
      const ports = spec?.ports ?? [];
      const isBalanced = spec?.type === 'LoadBalancer';
      // Node ports are not given out yet, so what counts is what is meant.
      const wanted =
        isBalanced && spec.allocateLoadBalancerNodePorts === false
          ? ports.filter(({ nodePort }) => (nodePort ?? 0) !== 0)
          : ports;
      return new Map([
        ['count/services', oneItem],
        ['services', oneItem],
        ['services.nodeports', itemCount(isBalanced || spec?.type === 'NodePort' ? wanted.length : 0)],
        ['services.loadbalancers', isBalanced ? oneItem : noItems],
      ]);
    },
    inScope: () => false,
    missing: () => '',
  };
}

const classInfix = '.storageclass.storage.k8s.io/';
const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const claimNames = ['persistentvolumeclaims', 'requests.storage'];

function claimEvaluator(): QuotaEvaluator {
  return {
    concerns: (name) =>
      name === 'count/persistentvolumeclaims' ||
      claimNames.includes(name) ||
      claimNames.some((suffix) => name.endsWith(`${classInfix}${suffix}`)),
    usage: (object) => {
      const claim = object as PersistentVolumeClaim;
      const usage = new Map([
        ['persistentvolumeclaims', oneItem],
        ['count/persistentvolumeclaims', oneItem],
      ]);
      const storage = storageOf(claim);
      if (storage !== undefined) usage.set('requests.storage', storage);
      const className = claim.metadata?.annotations?.[classAnnotation] ?? claim.spec?.storageClassName ?? '';
      if (className !== '') {
        usage.set(`${className}${classInfix}persistentvolumeclaims`, oneItem);
        if (storage !== undefined) usage.set(`${className}${classInfix}requests.storage`, storage);
      }
      return usage;
    },
    inScope: (object, requirement) => claimInScope(object as PersistentVolumeClaim, requirement),
    missing: () => '',
  };
}

/** What was asked for, or what is being allocated if that is more; whole bytes. */
function storageOf({ spec, status }: PersistentVolumeClaim): Quantity | undefined {
  const asked = spec?.resources?.requests?.['storage'];
  if (asked === undefined) return undefined;
  const wanted = parseQuantity(asked);
  const allocated = status?.allocatedResources?.['storage'];
  const growing = allocated === undefined ? wanted : parseQuantity(allocated);
  return wholeUnits(growing.nano > wanted.nano ? growing : wanted);
}

function wholeUnits({ nano, format }: Quantity): Quantity {
  const unit = 1_000_000_000n;
  return { nano: ((nano + unit - 1n) / unit) * unit, format };
}
