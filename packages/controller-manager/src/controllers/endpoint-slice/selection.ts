import { isPodReady, isPodTerminal, type Pod, type Service } from '@wherry/api';
import { canonicalJson } from '../../pods/template-hash.ts';
import { podAddresses } from './desired.ts';

/** An empty selector is none: whoever wrote it keeps the endpoints by hand. */
export function hasSelector(service: Service): boolean {
  return Object.keys(service.spec?.selector ?? {}).length > 0;
}

/** A Service whose endpoints controllers keep: it has a selector and is no mere alias. */
export function isSelecting(service: Service): boolean {
  return hasSelector(service) && service.spec?.type !== 'ExternalName';
}

/** An empty selector matches nothing here. */
export function selects(service: Service, labels: Readonly<Record<string, string>> | undefined): boolean {
  const selector = Object.entries(service.spec?.selector ?? {});
  return selector.length > 0 && selector.every(([key, value]) => labels?.[key] === value);
}

/** Whether a change of the pod can change endpoints; most changes of status cannot. */
export function affectsEndpoints(pod: Pod, previous: Pod | undefined): boolean {
  return previous === undefined || relevant(pod) !== relevant(previous);
}

function relevant(pod: Pod): string {
  return canonicalJson([
    isPodReady(pod),
    isPodTerminal(pod),
    pod.metadata?.deletionTimestamp !== undefined,
    podAddresses(pod),
    pod.spec?.nodeName ?? '',
    pod.metadata?.labels ?? {},
    pod.spec?.hostname ?? '',
    pod.spec?.subdomain ?? '',
  ]);
}
